/* chain_layouts - the fields of addresses, inventory, headers, blocks and
 * transactions. */
#include "wire/fields.h"
#include "wire/layouts.h"

enum { HEADER_SIZE = 80, PROTOCOL_VERSION = 70016 };

/* --- addresses and inventory --------------------------------------------- */

PART(part_entry, {UINT("time", 4), .unit = "seconds since 1970"},
     {UINT("services", 8), HEX}, {.name = "ip", .type = MP_FIELD_IP},
     {UINT("port", 2), .flags = MP_BIG_ENDIAN});
LAYOUT(layout_addr, {COUNT_OF("count", "entries")},
       {LIST("entries", part_entry), .max = 1000});

PART(part_item, {UINT("type", 4)}, {HASH("hash")});
LAYOUT(layout_inv, {COUNT_OF("count", "items")}, {LIST("items", part_item)});

PART(part_hash, {HASH(NULL)});
LAYOUT(layout_locator,
       {UINT("version", 4), ZERO_DEFAULT, .initial = PROTOCOL_VERSION},
       {LIST("locator", part_hash)}, {HASH("hash_stop"), ZERO_DEFAULT});

/* --- headers ------------------------------------------------------------- */

#define HEADER_FIELDS                                                          \
  {HASH_OF("hash"), .size = HEADER_SIZE}, {SINT("version", 4)},                \
      {HASH("prev")}, {HASH("merkle_root")},                                   \
      {UINT("time", 4), .unit = "seconds since 1970"},                         \
      {UINT("bits", 4), HEX_FULL}, {                                           \
    UINT("nonce", 4)                                                           \
  }

PART(part_header, HEADER_FIELDS);

/* The count is always 0 and is not looked at by the reference node. */
PART(part_headers_entry, HEADER_FIELDS, {COMPACT("tx_count"), ZERO_DEFAULT});
LAYOUT(layout_headers, {COUNT_OF("count", "headers")},
       {LIST("headers", part_headers_entry), .max = 2000});

/* --- transactions and blocks --------------------------------------------- */

PART(part_input, {HASH("prev")}, {UINT("index", 4)}, {VAR("script", 0)},
     {UINT("sequence", 4), ZERO_DEFAULT, .initial = UINT32_MAX});
PART(part_output, {SINT("value", 8), .unit = "satoshi"}, {VAR("script", 0)});
LAYOUT(layout_tx, {HASH_OF("txid")},
       {SINT("version", 4), ZERO_DEFAULT, .initial = 1},
       {COUNT_OF("vin", "inputs")}, {LIST("inputs", part_input)},
       {COUNT_OF("vout", "outputs")}, {LIST("outputs", part_output)},
       {UINT("locktime", 4), ZERO_DEFAULT}, {SIZE_OF("size"), .unit = "bytes"});

#define TRANSACTIONS                                                           \
  {LIST("txs", layout_tx), .flags = MP_QUIET}, {                               \
    HASHES_OF("txids", "txs", layout_tx)                                       \
  }

LAYOUT(layout_block, HEADER_FIELDS, {COUNT_OF("tx_count", "txs")}, TRANSACTIONS,
       {SIZE_OF("size"), .unit = "bytes"});

PART(part_index, {COMPACT(NULL)});
PART(part_short_id, {UINT(NULL, 6), HEX_FULL});
PART(part_prefilled, {COMPACT("index")}, {HASH_OF("txid"), .of = "tx"},
     {RECORD("tx", layout_tx)});
LAYOUT(layout_cmpctblock, {HASH_OF("hash"), .size = HEADER_SIZE},
       {RECORD("header", part_header)}, {UINT("nonce", 8), HEX_FULL},
       {LIST("shortids", part_short_id)}, {LIST("prefilled", part_prefilled)});
LAYOUT(layout_getblocktxn, {HASH("block_hash")},
       {LIST("indexes", part_index), .flags = MP_DIFFERENTIAL});
LAYOUT(layout_blocktxn, {HASH("block_hash")}, TRANSACTIONS);

LAYOUT(layout_merkleblock, HEADER_FIELDS, {UINT("tx_count", 4)},
       {LIST("hashes", part_hash)}, {VAR("flags", 0)});

/* --- proofs -------------------------------------------------------------- */

/* Flags and node types other than these have other layouts. */
PART(part_node, {UINT("type", 1), BETWEEN(0, 0)}, {HASH("hash")});
PART(part_proof, {UINT("flags", 1), BETWEEN(0, 0)}, {COMPACT("index")},
     {HASH("txid")}, {HASH("target")}, {LIST("nodes", part_node)});
PART(part_proven_tx, {HASH_OF("txid"), .of = "tx"}, {RECORD("tx", layout_tx)},
     {RECORD("proof", part_proof)});

LAYOUT(layout_datareftx, {HASH_OF("txid"), .of = "tx"},
       {RECORD("tx", layout_tx)}, {RECORD("proof", part_proof)});

PART(part_hdrsen_entry, HEADER_FIELDS, {COMPACT("tx_count")},
     {UINT("no_more_headers", 1), ZERO_DEFAULT}, {UINT("has_coinbase", 1)},
     {RECORD("coinbase", part_proven_tx), .when = "has_coinbase",
      .when_min = 1},
     {UINT("has_miner_info", 1)},
     {RECORD("miner_info", part_proven_tx), .when = "has_miner_info",
      .when_min = 1});
LAYOUT(layout_hdrsen, {COUNT_OF("count", "headers")},
       {LIST("headers", part_hdrsen_entry), .max = 2000});

/* The node writes one byte for the length of a signature; what is over 252
 * would be none, so that a compact size is the same. */
PART(part_signatures, {VAR("revocation", 252)}, {VAR("miner", 252)});
LAYOUT(layout_revokemid, {UINT("version", 4), ZERO_DEFAULT},
       {FIXED("revocation_key", 33)}, {FIXED("miner_id", 33)},
       {FIXED("revocation_message", 33)},
       {RECORD("signatures", part_signatures), .flags = MP_SIZED});

PART(part_ds_header, HEADER_FIELDS);
PART(part_ds_proof, {UINT("flags", 1), BETWEEN(5, 5)},
     {COMPACT("index"), BETWEEN(1, UINT32_MAX)}, {HASH_OF("txid"), .of = "tx"},
     {RECORD("tx", layout_tx), .flags = MP_SIZED}, {HASH("target")},
     {LIST("nodes", part_node)});
PART(part_ds_block, {LIST("headers", part_ds_header), .min = 1},
     {RECORD("proof", part_ds_proof)});
LAYOUT(layout_dsdetected, {UINT("version", 2), ZERO_DEFAULT, .initial = 1},
       {LIST("blocks", part_ds_block), .min = 2});
