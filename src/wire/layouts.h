/* layouts - the fields of the built-in messages. Several messages share one;
 * what a message is called, and when it may come, is in messages.c. */
#ifndef WIRE_LAYOUTS_H
#define WIRE_LAYOUTS_H

#include "moonpeer/layout.h"

extern const struct mp_layout layout_empty;

/* handshake, keepalive and settings */
extern const struct mp_layout layout_version, layout_ping, layout_pong,
    layout_reject, layout_protoconf, layout_createstrm, layout_streamack,
    layout_authch, layout_authresp, layout_sendcmpct, layout_feefilter,
    layout_filterload, layout_filteradd, layout_mempool, layout_alert,
    layout_sendtxrcncl, layout_feature, layout_sendpackages;

/* addresses, inventory and chain */
extern const struct mp_layout layout_addr, layout_addrv2, layout_inv,
    layout_locator, layout_headers, layout_block, layout_tx, layout_cmpctblock,
    layout_getblocktxn, layout_blocktxn, layout_merkleblock, layout_hdrsen,
    layout_datareftx, layout_revokemid, layout_dsdetected;

/* other chains' */
extern const struct mp_layout layout_getcfilters, layout_cfilter,
    layout_cfheaders, layout_getcfcheckpt, layout_cfcheckpt, layout_reqrecon,
    layout_sketch;

#endif
