// SPDX-License-Identifier: GPL-2.0-or-later
// table: the name of gwd's table (family inet).
#ifndef GWD_NFT_TABLE_H
#define GWD_NFT_TABLE_H

#define NFT_TABLE "gwd"

#endif
