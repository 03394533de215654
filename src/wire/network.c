/* network - the built-in networks, as data.
 * Facts: bitcoin-sv 1.2.2 chainparams.cpp and protocol.cpp (payload limits);
 * Bitcoin Core 28.1, Bitcoin Cash Node 28.0.1, go-wire and go-chaincfg for
 * the neighbours. */
#include "moonpeer/network.h"

#include <string.h>

#include "base/text.h"

/* Genesis hashes in wire order, the reverse of how they are displayed. */
/* clang-format off */
#define GENESIS_MAIN \
  "\x6f\xe2\x8c\x0a\xb6\xf1\xb3\x72\xc1\xa6\xa2\x46\xae\x63\xf7\x4f" \
  "\x93\x1e\x83\x65\xe1\x5a\x08\x9c\x68\xd6\x19\x00\x00\x00\x00\x00"
#define GENESIS_TEST \
  "\x43\x49\x7f\xd7\xf8\x26\x95\x71\x08\xf4\xa3\x0f\xd9\xce\xc3\xae" \
  "\xba\x79\x97\x20\x84\xe9\x0e\xad\x01\xea\x33\x09\x00\x00\x00\x00"
#define GENESIS_REGTEST \
  "\x06\x22\x6e\x46\x11\x1a\x0b\x59\xca\xaf\x12\x60\x43\xeb\x5b\xbf" \
  "\x28\xc3\x4f\x3a\x5e\x33\x2a\x1f\xc7\xb2\xb7\x3c\xf1\x88\x91\x0f"
#define GENESIS_TERATESTNET \
  "\x6d\x77\xb7\x76\x79\x81\xea\xc2\xb2\x04\x4a\x1a\x1c\x19\xb9\x74" \
  "\x1c\x23\x47\x37\x5b\x8f\xa8\xa0\xbb\xea\x99\x04\x00\x00\x00\x00"
#define GENESIS_TSTN \
  "\x6c\x70\xae\x7c\x79\xe5\x31\xc9\x0b\xb4\x58\x99\x95\xcd\x32\x4f" \
  "\x09\xcf\x82\x56\x6b\xb5\x3c\x02\x0e\x1c\x22\x5d\x00\x00\x00\x00"
#define GENESIS_BTC_TEST4 \
  "\x43\xf0\x8b\xda\xb0\x50\xe3\x5b\x56\x7c\x86\x4b\x91\xf4\x7f\x50" \
  "\xae\x72\x5a\xe2\xde\x53\xbc\xfb\xba\xf2\x84\xda\x00\x00\x00\x00"
#define GENESIS_BTC_SIGNET \
  "\xf6\x1e\xee\x3b\x63\xa3\x80\xa4\x77\xa0\x63\xaf\x32\xb2\xbb\xc9" \
  "\x7c\x9f\xf9\xf0\x1f\x2c\x42\x25\xe9\x73\x98\x81\x08\x00\x00\x00"
#define GENESIS_BCH_TEST4 \
  "\x7b\x9f\xfd\x44\xdd\x73\xc0\x5f\x2a\x15\xd3\x74\x74\x79\xcc\x18" \
  "\x17\x75\x26\xce\x68\x86\x78\x9a\xc4\x10\xd4\x1d\x00\x00\x00\x00"
#define GENESIS_BCH_SCALE \
  "\x52\xbe\x30\x04\x9f\x59\xa4\x91\x02\x7d\xe8\xb8\xdb\x11\xeb\x02" \
  "\x60\xf8\x23\x90\xa1\xff\xe1\xdf\xc2\x3d\x45\xe6\x00\x00\x00\x00"
/* clang-format on */

enum {
  MIB = 1048576,
  BSV_PAYLOAD = 2 * MIB,
  BCH_PAYLOAD = 2 * MIB,
  BTC_PAYLOAD = 4000000,
  TX_MAX = 1000000000,
};

/* The reference node's block size is its operator's choice, by default as
 * good as none: what we can hold is another limit, and not the network's. */
#define BLOCK_MAX ((uint64_t)INT64_MAX)

/* A block request names at most one index of six bytes for every smallest
 * possible transaction, after a header. */
#define BLOCK_REQUEST_MAX (BLOCK_MAX / 215 * 6 + 80)

static const struct mp_network_limit bsv_limits[] = {
    {"block", BLOCK_MAX},
    {"tx", TX_MAX},
    {"cmpctblock", BLOCK_MAX},
    {"blocktxn", BLOCK_MAX},
    {"getblocktxn", BLOCK_REQUEST_MAX},
    {"hdrsen", BLOCK_MAX},
    {"datareftx", TX_MAX},
    {"protoconf", MIB},
    {0},
};

/* Core has one limit for everything. */
static const struct mp_network_limit btc_limits[] = {{0}};

/* Cash nodes cap all but blocks, at 2 MiB. */
static const struct mp_network_limit bch_limits[] = {
    {"block", BLOCK_MAX},
    {"cmpctblock", BLOCK_MAX},
    {"blocktxn", BLOCK_MAX},
    {0},
};

#define BSV .max_payload = BSV_PAYLOAD, .limits = bsv_limits
#define BTC .max_payload = BTC_PAYLOAD, .limits = btc_limits
#define BCH .max_payload = BCH_PAYLOAD, .limits = bch_limits

/* checks_user_agent on the public networks of Bitcoin SV: their magic, port and
 * genesis are, or look like, those of other chains. */
static const struct mp_network networks[] = {
    {
        .name = "mainnet",
        .magic = {0xe3, 0xe1, 0xf3, 0xe8},
        .port = 8333,
        .genesis = GENESIS_MAIN,
        .seeds = {"seed.bitcoinsv.io", "seed.satoshisvision.network",
                  "seed.bitcoinseed.directory"},
        .checks_user_agent = true,
        BSV,
    },
    {
        .name = "testnet",
        .magic = {0xf4, 0xe5, 0xf3, 0xf4},
        .port = 18333,
        .genesis = GENESIS_TEST,
        .seeds = {"testnet-seed.bitcoinsv.io", "testnet-seed.bitcoincloud.net",
                  "testnet-seed.bitcoinseed.directory"},
        .checks_user_agent = true,
        BSV,
    },
    {
        .name = "stn",
        .magic = {0xfb, 0xce, 0xc4, 0xf9},
        .port = 9333,
        .genesis = GENESIS_TEST,
        .seeds = {"stn-seed.bitcoinsv.io", "stn-seed.bitcoinseed.directory"},
        .checks_user_agent = true,
        BSV,
    },
    {
        .name = "regtest",
        .magic = {0xda, 0xb5, 0xbf, 0xfa},
        .port = 18444,
        .genesis = GENESIS_REGTEST,
        BSV,
    },
    {
        .name = "teratestnet",
        .magic = {0x0d, 0x01, 0x09, 0x0c},
        .port = 18333,
        .genesis = GENESIS_TERATESTNET,
        BSV,
    },
    {
        .name = "tstn",
        .magic = {0x04, 0x00, 0x00, 0x00},
        .port = 18333,
        .genesis = GENESIS_TSTN,
        BSV,
    },
    {
        .name = "btc-main",
        .magic = {0xf9, 0xbe, 0xb4, 0xd9},
        .port = 8333,
        .genesis = GENESIS_MAIN,
        .seeds = {"seed.bitcoin.sipa.be", "dnsseed.bluematt.me",
                  "dnsseed.bitcoin.dashjr-list-of-p2p-nodes.us",
                  "seed.bitcoin.jonasschnelli.ch", "seed.btc.petertodd.net",
                  "seed.bitcoin.sprovoost.nl", "dnsseed.emzy.de",
                  "seed.bitcoin.wiz.biz", "seed.mainnet.achownodes.xyz"},
        BTC,
    },
    {
        .name = "btc-testnet3",
        .magic = {0x0b, 0x11, 0x09, 0x07},
        .port = 18333,
        .genesis = GENESIS_TEST,
        BTC,
    },
    {
        .name = "btc-testnet4",
        .magic = {0x1c, 0x16, 0x3f, 0x28},
        .port = 48333,
        .genesis = GENESIS_BTC_TEST4,
        .seeds = {"seed.testnet4.bitcoin.sprovoost.nl",
                  "seed.testnet4.wiz.biz"},
        BTC,
    },
    {
        .name = "btc-signet",
        .magic = {0x0a, 0x03, 0xcf, 0x40},
        .port = 38333,
        .genesis = GENESIS_BTC_SIGNET,
        .seeds = {"seed.signet.bitcoin.sprovoost.nl",
                  "seed.signet.achownodes.xyz"},
        BTC,
    },
    {
        .name = "btc-regtest",
        .magic = {0xfa, 0xbf, 0xb5, 0xda},
        .port = 18444,
        .genesis = GENESIS_REGTEST,
        BTC,
    },
    {
        .name = "bch-main",
        .magic = {0xe3, 0xe1, 0xf3, 0xe8},
        .port = 8333,
        .genesis = GENESIS_MAIN,
        .seeds = {"seed.flowee.cash", "seed-bch.bitcoinforks.org",
                  "btccash-seeder.bitcoinunlimited.info", "seed.bchd.cash",
                  "seed.bch.loping.net", "dnsseed.electroncash.de",
                  "bchseed.c3-soft.com", "bch.bitjson.com"},
        BCH,
    },
    {
        .name = "bch-testnet3",
        .magic = {0xf4, 0xe5, 0xf3, 0xf4},
        .port = 18333,
        .genesis = GENESIS_TEST,
        BCH,
    },
    {
        .name = "bch-testnet4",
        .magic = {0xe2, 0xb7, 0xda, 0xaf},
        .port = 28333,
        .genesis = GENESIS_BCH_TEST4,
        BCH,
    },
    {
        .name = "bch-chipnet",
        .magic = {0xe2, 0xb7, 0xda, 0xaf},
        .port = 48333,
        .genesis = GENESIS_BCH_TEST4,
        BCH,
    },
    {
        .name = "bch-scalenet",
        .magic = {0xc3, 0xaf, 0xe1, 0xa2},
        .port = 38333,
        .genesis = GENESIS_BCH_SCALE,
        BCH,
    },
    {
        .name = "bch-regtest",
        .magic = {0xda, 0xb5, 0xbf, 0xfa},
        .port = 18444,
        .genesis = GENESIS_REGTEST,
        BCH,
    },
};

const struct mp_network *mp_network_list(size_t *n) {
  *n = sizeof networks / sizeof *networks;
  return networks;
}

const struct mp_network *mp_network_find(const char *name) {
  for (size_t i = 0; i < sizeof networks / sizeof *networks; i++)
    if (strcmp(networks[i].name, name) == 0)
      return &networks[i];
  return NULL;
}

uint64_t mp_network_limit(const struct mp_network *network,
                          const char *command) {
  const struct mp_network_limit *limit = network->limits;
  for (; limit && limit->command; limit++)
    if (text_is(limit->command, command))
      return limit->bytes;
  return network->max_payload;
}
