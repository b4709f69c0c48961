// SPDX-License-Identifier: GPL-2.0-or-later
// What we load, three ways: the text of every test/golden/nft/NAME.conf is exactly NAME.nft; nft takes
// it; and what nft compiles from it is, expression by expression, what libnftnl sends for us.
// GOLDEN_WRITE=1 in the environment writes the .nft files anew, for a person to read and judge.
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"
#include "gwd/base/buf.h"
#include "gwd/core/build.h"
#include "gwd/core/facts.h"
#include "gwd/core/ids.h"
#include "gwd/core/model.h"
#include "gwd/core/named.h"
#include "nft/nft.h"
#include "nft/nl.h"
#include "nft/rule.h"
#include "nft/ruleset.h"
#include "nft/set.h"

#define GOLDEN_DIR "test/golden/nft/"

// ---- files -----------------------------------------------------------------------------------

static void read_stream(FILE *f, struct buf *out)
{
	char chunk[4096];
	size_t n;
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(out, chunk, n);
}

static void read_file(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "re");
	cr_assert(f != NULL, "%s is missing", path);
	read_stream(f, out);
	fclose(f);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");
	cr_assert(f != NULL, "%s can't be written", path);
	fputs(text, f);
	fclose(f);
}

static int is_conf(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');
	return dot && strcmp(dot, ".conf") == 0;
}

// ---- plans -------------------------------------------------------------------------------------

// Every gateway's interface exists and has addresses; every next hop has a MAC; main goes by the first. A
// prefix is delegated to whoever wants one.
static void make_facts(struct facts *facts, const struct model *model)
{
	for (size_t i = 0; i < model->n_gateways; i++) {
		const struct model_gateway *gw = &model->gateways[i];
		struct fact_iface *iface;
		if (!facts_iface(facts, gw->interface)) {
			vec_add(&facts->ifaces, iface);
			snprintf(iface->name, sizeof(iface->name), "%s", gw->interface);
			iface->index = (uint32_t)i + 2;
			iface->up = iface->carrier = true;
			for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
				char text[64];
				struct fact_addr *own;
				vec_add(&iface->addrs, own);
				snprintf(text, sizeof(text),
					 fam == FAM_4 ? "100.64.%zu.2" : "2001:db8:%zu::2", i + 1);
				cr_assert(addr_parse(text, &own->addr));
				own->usable = true;
			}
		}
		if (gw->snat[FAM_6].mode == SNAT_PREFIX && !gw->snat[FAM_6].prefix.len) {
			struct fact_prefix fact = {.oif = facts_iface(facts, gw->interface)->index};
			cr_assert(prefix_parse("2001:db8:2:8000::/60", &fact.prefix));
			vec_push(&facts->prefixes, fact);
		}
		for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
			vec_push(&facts->neighs,
				 (struct fact_neigh){.index = facts_iface(facts, gw->interface)->index,
						     .addr = gw->address[fam],
						     .mac = {2, 0, 0, 0, (uint8_t)fam, (uint8_t)i}});
	}
	vec_push(&facts->defaults, (struct fact_route){.fam = FAM_4, .oif = 2});
}

// Every name has the same addresses, but those of nowhere.example.net.
static void make_named(struct named_list *list)
{
	static const char *const addrs[] = {"192.0.2.7", "192.0.2.8", "192.0.2.200", "2001:db8:9::7",
					    "2001:db8:a::1"};
	struct named *named;
	vec_add(&list->v, named);
	named->name = strdup("bank.example.net");
	for (size_t i = 0; i < ARRAY_SIZE(addrs); i++) {
		struct addr addr;
		cr_assert(addr_parse(addrs[i], &addr));
		vec_push(&named->addrs, addr);
	}
}

static void make_plan(struct plan *plan, const char *conf)
{
	struct model *model = NULL;
	struct buf report = {0};
	struct facts facts = {0};
	struct ids ids = {0};
	cr_assert(conf_load(conf, &model, &report) == 0, "%s: %s", conf, buf_text(&report));
	make_facts(&facts, model);
	ids_assign(&ids, model);
	struct named_list named = {0};
	make_named(&named);
	struct build_input input = {.model = model,
				    .facts = &facts,
				    .ids = &ids,
				    .named = &named,
				    .flowtable = strstr(conf, "fastpath") != NULL};
	plan_build(plan, &input);
	named_free(&named);
	ids_free(&ids);
	facts_free(&facts);
	model_free(model);
	buf_free(&report);
}

// ---- what we send, as libnftnl prints it -------------------------------------------------------

static int dump_elem(struct nftnl_set_elem *elem, void *arg)
{
	char text[512];
	nftnl_set_elem_snprintf(text, sizeof(text), elem, NFTNL_OUTPUT_DEFAULT, 0);
	buf_printf(arg, "\t%s", text);
	return 0;
}

static void dump_elems(const struct nftnl_set *set, struct buf *out)
{
	union {
		const struct nftnl_set *in;
		struct nftnl_set *out;
	} plain = {.in = set}; // libnftnl's foreach takes no const
	struct buf elems = {0};
	nftnl_set_elem_foreach(plain.out, dump_elem, &elems);
	if (elems.n)
		buf_printf(out, "%s\n%s\n", nftnl_set_get_str(set, NFTNL_SET_NAME), buf_text(&elems));
	buf_free(&elems);
}

static void dump_declaration(const struct nftnl_set *set, struct buf *out)
{
	uint32_t size = nftnl_set_get_u32(set, NFTNL_SET_DESC_SIZE);
	buf_printf(out, "%s flags %x", nftnl_set_get_str(set, NFTNL_SET_NAME),
		   nftnl_set_get_u32(set, NFTNL_SET_FLAGS));
	if (nftnl_set_is_set(set, NFTNL_SET_GC_INTERVAL))
		buf_printf(out, " gc_interval %ums", nftnl_set_get_u32(set, NFTNL_SET_GC_INTERVAL));
	if (size)
		buf_printf(out, " size %u", size);
	buf_puts(out, "\n");
}

static void dump_set(const struct plan_set *set, struct buf *out)
{
	struct nftnl_set *nl = set_declare(set, 1);
	dump_declaration(nl, out);
	if (set->interval && set->elems.n) { // nft begins with the end of what comes before the first
		struct nftnl_set_elem *none = nftnl_set_elem_alloc();
		static const uint8_t zero[16];
		nftnl_set_elem_set(none, NFTNL_SET_ELEM_KEY, zero, plan_set_key_size(set));
		nftnl_set_elem_set_u32(none, NFTNL_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
		nftnl_set_elem_add(nl, none);
	}
	vec_each(&set->elems, elem) {
		nftnl_set_elem_add(nl, set_elem(set, elem));
		struct nftnl_set_elem *end = set_elem_end(set, elem);
		if (end)
			nftnl_set_elem_add(nl, end);
	}
	dump_elems(nl, out);
	nftnl_set_free(nl);
}

// nft 1.0.6 can't compile (it aborts) an update of a map by more than 16 bytes, nor fields of a quoted packet or of an
// extension header as a key. It can list both, as we send them; test_nft_beyond.c holds those rules against what they
// should be.
static bool is_beyond_nft(const char *rule)
{
	const char *raw = strstr(rule, "@th,"), *data = strstr(rule, " : ");
	if ((raw && strncmp(raw, "@th,96,32 and", 13)) || strstr(rule, ". frag id"))
		return true;
	return data && (strstr(rule, ". ip6 daddr") || strstr(rule, ". ip daddr . th dport")) &&
	       (strstr(rule, "update @") || strstr(rule, "delete @"));
}

static void dump_rule(const struct chain *chain, const struct rule *rule, struct buf *out)
{
	char text[8192];
	vec_each(&rule->sets, set) {
		dump_declaration(*set, out);
		dump_elems(*set, out);
	}
	nftnl_rule_snprintf(text, sizeof(text), rule->nl, NFTNL_OUTPUT_DEFAULT, 0);
	const char *body = strchr(text, '\n');
	buf_printf(out, "%s gwd %s%s\n", chain->table == PLAN_INET ? "inet" : "netdev", chain->name,
		   body ? body : "");
}

static void dump_plan(const struct plan *plan, struct buf *out)
{
	struct ruleset ruleset = {0};
	ruleset_build(&ruleset, plan);
	for (enum plan_table table = PLAN_INET; table < PLAN_TABLES; table++) {
		vec_each(&plan->sets, set)
			if (set->table == table && !set->ingress)
				dump_set(set, out);
		vec_each(&ruleset.chains, chain)
			vec_each(&(*chain)->rules, rule)
				if ((*chain)->table == table && !is_beyond_nft(buf_text(&(*rule)->text)))
					dump_rule(*chain, *rule, out);
	}
	ruleset_free(&ruleset);
}

// ---- what nft sends, as it prints it -----------------------------------------------------------

// Of `nft --debug=netlink` everything is kept but what says nothing: declarations of the table, the
// chains and the counters. "NAME gwd FLAGS [size N]" introduces a set, "NAME gwd 0" its elements.
static void filter_line(char *line, struct buf *out)
{
	char name[128], table[16], rest[64] = "";
	unsigned flags;
	if (line[0] == '\t' || line[0] == ' ' || !line[0]) {
		buf_printf(out, "%s\n", line);
		return;
	}
	if (!strncmp(line, "inet gwd ", 9) || !strncmp(line, "netdev gwd ", 11)) {
		for (size_t n = strlen(line); n && line[n - 1] == ' '; n--)
			line[n - 1] = 0;
		buf_printf(out, "%s\n", line);
		return;
	}
	if (sscanf(line, "%127s %15s %x%63[^\n]", name, table, &flags, rest) < 3 || strcmp(table, "gwd") != 0)
		return;
	buf_printf(out, "%s flags %x%s\n", name, flags, rest);
}

static bool compile(const char *path, struct buf *out)
{
	char command[256], *save = NULL;
	struct buf all = {0};
	// root needs no user namespace, and may not have one in a chroot
	snprintf(command, sizeof(command), "unshare %s nft -c --debug=netlink -f %s 2>&1",
		 geteuid() ? "-rn" : "-n", path);
	FILE *f = popen(command, "re");
	cr_assert_not_null(f);
	read_stream(f, &all);
	int status = pclose(f);
	cr_expect_eq(status, 0, "nft does not take %s:\n%s", path,
		     strstr(buf_text(&all), "Error") ? strstr(buf_text(&all), "Error") : "?");
	for (char *line = strtok_r(all.text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		filter_line(line, out);
	buf_free(&all);
	return status == 0;
}

// ---- both in one form ----------------------------------------------------------------------------

// Our element blocks are headed by the set's bare name, nft's by "NAME flags 0".
static void normalise(const struct buf *in, struct buf *out)
{
	char *copy = strdup(buf_text(in)), *save = NULL;
	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *flags = strstr(line, " flags 0");
		if (flags && !flags[8])
			*flags = 0;
		buf_printf(out, "%s\n", line);
	}
	free(copy);
}

// A set without elements and without flags is "NAME flags 0" too: its declaration becomes a bare
// name on both sides. The sets come in one order from us and in another from
// nft: each side's blocks of lines before a table's first rule are sorted by name.
static int compare_blocks(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_set_line(const char *line)
{
	return line[0] == '\t' || (strncmp(line, "inet ", 5) && strncmp(line, "netdev ", 7) &&
				   strncmp(line, "__", 2) && line[0] != ' ');
}

// Of one table, from `line` on; returns the first line that is no set's.
static char *sort_run(char *line, char **save, struct buf *out)
{
	VEC(char *) blocks = {0};
	struct buf block = {0};
	for (; line && is_set_line(line); line = strtok_r(NULL, "\n", save)) {
		if (line[0] != '\t' && block.n) {
			vec_push(&blocks, strdup(buf_text(&block)));
			buf_clear(&block);
		}
		buf_printf(&block, "%s\n", line);
	}
	if (block.n)
		vec_push(&blocks, strdup(buf_text(&block)));
	qsort(blocks.v, blocks.n, sizeof(*blocks.v), compare_blocks);
	vec_each(&blocks, it) {
		buf_puts(out, *it);
		free(*it);
	}
	vec_free(&blocks);
	buf_free(&block);
	return line;
}

static void sort_sets(const struct buf *in, struct buf *out)
{
	char *copy = strdup(buf_text(in)), *save = NULL, *line = strtok_r(copy, "\n", &save);
	while (line) {
		line = sort_run(line, &save, out);
		for (; line && (line[0] == '\t' || !is_set_line(line)); line = strtok_r(NULL, "\n", &save))
			buf_printf(out, "%s\n", line);
	}
	free(copy);
}

static void canonical(const struct buf *in, struct buf *out)
{
	struct buf middle = {0};
	normalise(in, &middle);
	sort_sets(&middle, out);
	buf_free(&middle);
}

// Where two texts part, for the message.
static const char *parting(const char *a, const char *b)
{
	const char *line = a;
	for (; *a && *a == *b; a++, b++)
		if (*a == '\n')
			line = a + 1;
	return line;
}

// ---- the tests -----------------------------------------------------------------------------------

static void check_text(const char *conf, const struct plan *plan)
{
	char path[300];
	struct buf text = {0}, golden = {0};
	snprintf(path, sizeof(path), "%.*s.nft", (int)(strlen(conf) - strlen(".conf")), conf);
	nft_text(plan, &text);
	if (getenv("GOLDEN_WRITE"))
		write_file(path, buf_text(&text));
	read_file(path, &golden);
	cr_expect(!strcmp(buf_text(&text), buf_text(&golden)),
		  "%s is not what we print from here on:\n%.600s", path,
		  parting(buf_text(&text), buf_text(&golden)));
	buf_free(&text);
	buf_free(&golden);
}

static void write_without_what_is_beyond_nft(const char *path, char *text)
{
	char *save = NULL;
	struct buf kept = {0};
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *device = strstr(line, "device \"");
		if (device) // only the loopback is there
			buf_printf(&kept, "%.*s\"lo\"%s\n", (int)(device + 7 - line), line,
				   strchr(device + 8, '"') + 1);
		else if (!is_beyond_nft(line))
			buf_printf(&kept, "%s\n", line);
	}
	write_file(path, buf_text(&kept));
	buf_free(&kept);
}

static void check_compiled(const char *conf, const struct plan *plan)
{
	char path[] = "/tmp/gwd-golden-XXXXXX";
	struct buf text = {0}, theirs = {0}, ours = {0}, theirs_plain = {0}, ours_plain = {0};
	if (plan_find_set(plan, "fast")) // nft asks the kernel for flowtables and their devices
		return;
	int fd = mkstemp(path);
	cr_assert(fd >= 0);
	close(fd);
	nft_text(plan, &text);
	write_without_what_is_beyond_nft(path, text.text);
	if (compile(path, &theirs)) {
		dump_plan(plan, &ours);
		canonical(&theirs, &theirs_plain);
		canonical(&ours, &ours_plain);
		cr_expect(theirs_plain.n > 1000);
		cr_expect(!strcmp(buf_text(&theirs_plain), buf_text(&ours_plain)),
			  "%s: nft compiles\n%.600s\nand we send\n%.600s", conf,
			  parting(buf_text(&theirs_plain), buf_text(&ours_plain)),
			  parting(buf_text(&ours_plain), buf_text(&theirs_plain)));
	}
	unlink(path);
	buf_free(&text);
	buf_free(&theirs);
	buf_free(&ours);
	buf_free(&theirs_plain);
	buf_free(&ours_plain);
}

static void for_each_conf(void (*check)(const char *conf, const struct plan *plan))
{
	struct dirent **all;
	int n = scandir(GOLDEN_DIR, &all, is_conf, alphasort);
	cr_assert(n >= 6, "only %d golden files found; run the tests from the top of the tree", n);
	for (int i = 0; i < n; i++) {
		char conf[300];
		struct plan plan = {0};
		snprintf(conf, sizeof(conf), GOLDEN_DIR "%s", all[i]->d_name);
		make_plan(&plan, conf);
		check(conf, &plan);
		plan_free(&plan);
		free(all[i]);
	}
	free(all);
}

Test(nft_golden, the_text_is_what_it_was)
{
	for_each_conf(check_text);
}

Test(nft_golden, nft_compiles_it_to_what_we_send)
{
	for_each_conf(check_compiled);
}
