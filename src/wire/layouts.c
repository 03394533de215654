/* layouts - the fields of handshake, keepalive and settings, and of messages
 * that only other chains' nodes send. */
#include "wire/layouts.h"

#include "wire/fields.h"

enum { PROTOCOL_VERSION = 70016 };

const struct mp_layout layout_empty = {0};

/* An address without a time, as the version message has it. */
PART(part_address, {UINT("services", 8), HEX, ZERO_DEFAULT},
     {.name = "ip", .type = MP_FIELD_IP, ZERO_DEFAULT},
     {UINT("port", 2), .flags = MP_BIG_ENDIAN | MP_DEFAULT});

LAYOUT(layout_version,
       {SINT("version", 4), ZERO_DEFAULT, .initial = PROTOCOL_VERSION},
       {UINT("services", 8), HEX, ZERO_DEFAULT},
       {SINT("timestamp", 8), .unit = "seconds since 1970"},
       {RECORD("addr_recv", part_address)},
       {RECORD("addr_from", part_address), .flags = MP_TAIL},
       {UINT("nonce", 8), HEX_FULL, ZERO_DEFAULT, .initial = 1},
       {TEXT("user_agent", 256), .flags = MP_TAIL | MP_DEFAULT},
       {SINT("start_height", 4), .flags = MP_TAIL | MP_DEFAULT, .initial = -1,
        .unit = "blocks"},
       {BOOLEAN("relay"), .flags = MP_TAIL | MP_DEFAULT, .initial = 1},
       {VAR("association_id", 129), .flags = MP_TAIL});

/* Peers before version 60001 send a ping without a nonce. */
LAYOUT(layout_ping, {UINT("nonce", 8), HEX_FULL, .flags = MP_TAIL});
LAYOUT(layout_pong, {UINT("nonce", 8), HEX_FULL});

LAYOUT(layout_reject, {TEXT("message", 12)}, {UINT("code", 1), HEX_FULL},
       {TEXT("reason", 111), ZERO_DEFAULT},
       {HASH("hash"), .when = "message", .when_is = "tx block"});

LAYOUT(layout_protoconf, {COMPACT("number_of_fields"), BETWEEN(1, UINT32_MAX)},
       {UINT("max_recv_payload_length", 4), .when = "number_of_fields",
        .when_min = 1, .unit = "bytes"},
       {TEXT("stream_policies", 650), .when = "number_of_fields",
        .when_min = 2});

LAYOUT(layout_createstrm, {VAR("association_id", 129)},
       {UINT("stream_type", 1), BETWEEN(0, 5)},
       {TEXT("stream_policy", 64), ZERO_DEFAULT});
LAYOUT(layout_streamack, {VAR("association_id", 129)},
       {UINT("stream_type", 1), BETWEEN(0, 5)});

LAYOUT(layout_authch, {UINT("version", 4), ZERO_DEFAULT, .initial = 1},
       {UINT("message_length", 4), ZERO_DEFAULT, .initial = 32,
        .unit = "bytes"},
       {FIXED("challenge", 32)});
LAYOUT(layout_authresp, {VAR("public_key", 33), .min = 33},
       {UINT("nonce", 8), HEX_FULL}, {VAR("signature", 72), .min = 70});

LAYOUT(layout_sendcmpct, {UINT("announce", 1)}, {UINT("version", 8)});
LAYOUT(layout_feefilter,
       {SINT("feerate_sat_per_kb", 8), .unit = "satoshi per 1000 bytes"});

LAYOUT(layout_filterload, {VAR("filter", 36000)},
       {UINT("n_hash_funcs", 4), BETWEEN(0, 50)}, {UINT("n_tweak", 4)},
       {UINT("n_flags", 1)});
LAYOUT(layout_filteradd, {VAR("data", 520)});

/* The specification has a bare age of eight bytes; the node reads a byte that
 * says whether an age follows, and takes one that is cut off as none. */
LAYOUT(layout_mempool, {BOOLEAN("has_age"), .flags = MP_TAIL | MP_DEFAULT},
       {SINT("age", 8), .flags = MP_LENIENT, .when = "has_age", .when_min = 1,
        .unit = "seconds"});

LAYOUT(layout_alert, {VAR("payload", 0)}, {VAR("signature", 0)});

/* --- other chains -------------------------------------------------------- */

LAYOUT(layout_sendtxrcncl, {UINT("version", 4), ZERO_DEFAULT, .initial = 1},
       {UINT("salt", 8), HEX_FULL});
LAYOUT(layout_feature, {TEXT("feature_id", 80), .min = 4},
       {VAR("feature_data", 512), ZERO_DEFAULT});
LAYOUT(layout_sendpackages, {UINT("versions", 8), HEX});
LAYOUT(layout_reqrecon, {UINT("set_size", 2)}, {UINT("q", 2)});
LAYOUT(layout_sketch, {VAR("data", 0)});

PART(part_hash, {HASH(NULL)});

LAYOUT(layout_getcfilters, {UINT("filter_type", 1)}, {UINT("start_height", 4)},
       {HASH("stop_hash")});
LAYOUT(layout_cfilter, {UINT("filter_type", 1)}, {HASH("block_hash")},
       {VAR("filter", 0)});
LAYOUT(layout_cfheaders, {UINT("filter_type", 1)}, {HASH("stop_hash")},
       {HASH("prev_header")}, {LIST("hashes", part_hash)});
LAYOUT(layout_getcfcheckpt, {UINT("filter_type", 1)}, {HASH("stop_hash")});
LAYOUT(layout_cfcheckpt, {UINT("filter_type", 1)}, {HASH("stop_hash")},
       {LIST("headers", part_hash)});

PART(part_addrv2_entry, {UINT("time", 4), .unit = "seconds since 1970"},
     {.name = "services", .type = MP_FIELD_COMPACT, .size = 8, HEX},
     {UINT("network_id", 1)}, {VAR("addr", 512), .flags = MP_NETWORK_ADDRESS},
     {UINT("port", 2), .flags = MP_BIG_ENDIAN});
LAYOUT(layout_addrv2, {COUNT_OF("count", "entries")},
       {LIST("entries", part_addrv2_entry), .max = 1000});
