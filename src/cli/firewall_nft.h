/* SPDX-License-Identifier: MIT */
#ifndef COO_CLI_FIREWALL_NFT_H
#define COO_CLI_FIREWALL_NFT_H

#include "feature/firewall.h"

/*
 * Adds the rules of "nft -j list ruleset" (libnftables-json(5), version 1): tables of the families
 * ip and inet. COO_EFORMAT where that is no such JSON.
 */
COO_MUST_CHECK coo_err firewall_nft(coo_fw *fw, coo_span json);

#endif
