// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_net: making the network and taking it away.
 *
 * Namespaces first, then all links (each made from one side, its peer put straight into the other namespace),
 * then all addresses and routes. Each step is one `ip -batch` per namespace, all of a step running side by
 * side: the usual lab is there in some tens of milliseconds.
 */
#include "test/lab/lab_net.h"

#include "test/lab/lab_die.h"
#include "test/lab/lab_nft.h"
#include "test/lab/lab_priv.h"
#include "test/lab/lab_rules.h"
#include "test/lab/lab_server.h"
#include "test/lab/lab_spawn.h"
#include "test/lab/lab_task.h"
#include "test/lab/lab_tun.h"
#include "test/lab/lab_wait.h"
#include "test/lab/lab_wan.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READY_LIMIT_MS = 10000, BATCHES_MAX = LAB_ISPS_MAX + LAB_HOSTS_MAX + 4 };

/* Lines for `ip -batch`, for one namespace. */
struct batch {
	const struct lab_ns *ns;
	FILE *lines;
	char *text;
	size_t length;
};

/* One step of the making: at most one batch per namespace. */
struct step {
	struct batch batch[BATCHES_MAX];
	int count;
};

static FILE *step_batch(struct step *step, const struct lab_ns *ns)
{
	struct batch *batch = &step->batch[step->count++];

	batch->ns = ns;
	batch->lines = open_memstream(&batch->text, &batch->length);
	if (!batch->lines)
		lab_die("out of memory");
	return batch->lines;
}

static void step_run(struct step *step)
{
	static const char *const argv[] = {"ip", "-batch", "-", NULL};
	struct lab_job job[BATCHES_MAX];

	for (int i = 0; i < step->count; i++) {
		fclose(step->batch[i].lines);
		lab_job_start(&job[i], step->batch[i].ns, argv, step->batch[i].text);
	}
	for (int i = 0; i < step->count; i++) {
		lab_job_finish(&job[i]);
		free(step->batch[i].text);
	}
	step->count = 0;
}

static bool has_program(const char *name)
{
	static const char *const dirs[] = {"/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/sbin"};
	char path[64];

	for (unsigned i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dirs[i], name);
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

/* Tried in a child, because there is no way to ask. */
static bool may_unshare(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(unshare(CLONE_NEWNET) ? 1 : 0);
	return pid > 0 && lab_spawn_wait(pid, -1) == 0;
}

const char *lab_missing(void)
{
	if (geteuid() != 0)
		return "not root";
	if (!has_program("ip"))
		return "no `ip` (apt-get install iproute2)";
	if (!has_program("nft"))
		return "no `nft` (apt-get install nftables)";
	if (access("/proc/sys/net/ipv6", F_OK))
		return "no IPv6 in this kernel";
	if (!may_unshare())
		return "not allowed to create network namespaces (a container without CAP_SYS_ADMIN?)";
	return NULL;
}

static void read_spec(struct lab *lab, const struct lab_spec *spec)
{
	static const struct lab_spec usual = {.isps = 3};

	lab->spec = spec ? *spec : usual;
	if (lab->spec.isps == 0)
		lab->spec.isps = 3;
	if (lab->spec.isps < 0)
		lab->spec.isps = 0;
	if (lab->spec.hosts == 0)
		lab->spec.hosts = 2;
	lab->isps = lab->spec.isps + (lab->spec.shared ? 2 : 0) + (lab->spec.ppp ? 1 : 0);
	if (lab->isps > LAB_ISPS_MAX || lab->spec.hosts > LAB_HOSTS_MAX)
		lab_die("at most %d ISPs and %d hosts", LAB_ISPS_MAX, LAB_HOSTS_MAX);
	for (int k = 1; k <= lab->isps; k++) {
		lab_wan_plan(lab, k);
		lab_wan_number(lab, &lab->isp[k]);
	}
}

/* What all places have in common. */
static void set_sysctls(const struct lab_ns *ns, bool forwards)
{
	static const char *const key[][2] = {
		{"ipv4/conf/all/rp_filter", "0"},
		{"ipv4/conf/default/rp_filter", "0"},
		{"ipv6/conf/all/accept_dad", "0"},
		{"ipv6/conf/default/accept_dad", "0"},
		{"ipv6/conf/all/router_solicitations", "0"},
		{"ipv6/conf/default/router_solicitations", "0"},
		{"ipv4/icmp_ratelimit", "0"},
		{"ipv6/icmp/ratelimit", "0"},
		{"ipv4/ping_group_range", "0 2147483647"},
		{"ipv4/ip_local_port_range", "16384 65535"},
	};

	for (unsigned i = 0; i < sizeof(key) / sizeof(key[0]); i++)
		lab_ns_sysctl(ns, key[i][0], key[i][1]);
	lab_ns_sysctl(ns, "ipv4/ip_forward", forwards ? "1" : "0");
	lab_ns_sysctl(ns, "ipv6/conf/all/forwarding", forwards ? "1" : "0");
	lab_ns_sysctl(ns, "ipv6/conf/default/forwarding", forwards ? "1" : "0");
}

static void make_place(struct lab_ns *ns, const char *name, int number, bool forwards)
{
	char full[16];

	snprintf(full, sizeof(full), number ? "%s%d" : "%s", name, number);
	lab_ns_create(ns, full);
	set_sysctls(ns, forwards);
}

static void make_places(struct lab *lab)
{
	char rp_filter[12];

	make_place(&lab->router, "router", 0, true);
	make_place(&lab->internet, "internet", 0, true);
	make_place(&lab->wire, "wire", 0, false);
	make_place(&lab->inside, "inside", 0, false);
	for (int h = 1; h <= lab->spec.hosts; h++) {
		make_place(&lab->host[h], "host", h, false);
		lab->host[h].host = h;
		lab_ns_sysctl(&lab->host[h], "ipv4/conf/all/arp_announce",
			      "2"); /* clients do not ask themselves */
	}
	for (int k = 1; k <= lab->isps; k++) {
		make_place(&lab->isp[k].ns, "isp", k, true);
		lab_ns_sysctl(&lab->isp[k].ns, "ipv6/conf/default/keep_addr_on_down", "1");
	}
	snprintf(rp_filter, sizeof(rp_filter), "%d", lab->spec.rp_filter);
	lab_ns_sysctl(&lab->router, "ipv4/conf/all/rp_filter", rp_filter);
	lab_ns_sysctl(&lab->router, "ipv4/conf/default/rp_filter", rp_filter);
}

static void make_links(struct lab *lab)
{
	struct step step = {.count = 0};
	FILE *wire = step_batch(&step, &lab->wire);
	FILE *internet = step_batch(&step, &lab->internet);

	fputs("link add lan type bridge mcast_snooping 0\nlink set lan up\n", wire);
	fprintf(wire, "link add router-lan type veth peer name lan0 netns %s\n", lab->router.path);
	fputs("link set router-lan master lan up\n", wire);
	for (int h = 1; h <= lab->spec.hosts; h++) {
		fprintf(wire, "link add host%d type veth peer name eth0 netns %s\n", h, lab->host[h].path);
		fprintf(wire, "link set host%d master lan up\n", h);
	}
	if (lab->spec.shared)
		lab_wan_shared_wire(lab, wire);
	for (int k = 1; k <= lab->isps; k++)
		fprintf(internet, "link add isp%d type veth peer name up0 netns %s\n", k,
			lab->isp[k].ns.path);
	step_run(&step);
}

/* Apart from the others, because it needs the shared wire's end in place. */
static void make_router_links(struct lab *lab)
{
	struct step step = {.count = 0};
	FILE *router = step_batch(&step, &lab->router);

	fprintf(router, "link add lan1 type veth peer name eth0 netns %s\n", lab->inside.path);
	for (int k = 1; k <= lab->isps; k++) {
		lab_wan_link(lab, &lab->isp[k], router);
		if (lab->isp[k].wire == LAB_WIRE_PPP)
			lab_tun_create(lab, &lab->isp[k]);
	}
	step_run(&step);
}

static void number_router(struct lab *lab, FILE *out)
{
	fputs("link set lo up\nlink set lan0 up\nlink set lan1 up\n"
	      "addr add 10.0.0.1/24 brd + dev lan0\naddr add fd00:10::1/64 dev lan0 nodad\n"
	      "addr add 10.200.0.1/24 brd + dev lan1\naddr add fd00:10:200::1/64 dev lan1 nodad\n"
	      "route add 10.201.0.0/24 via 10.200.0.2\nroute add fd00:10:201::/64 via fd00:10:200::2\n",
	      out);
	for (int h = 1; h <= lab->spec.hosts; h++) {
		fprintf(out, "route add 10.%d.0.0/16 via %s\n", h, lab_host_address(AF_INET, h));
		fprintf(out, "route add fd00:10:%d::/48 via %s\n", h, lab_host_address(AF_INET6, h));
	}
	for (int k = 1; k <= lab->isps; k++)
		lab_wan_router(lab, &lab->isp[k], out);
}

static void number_host(int h, FILE *out)
{
	fputs("link set lo up\nlink set eth0 up\n", out);
	fprintf(out, "addr add %s/24 brd + dev eth0\n", lab_host_address(AF_INET, h));
	fprintf(out, "addr add %s/64 dev eth0 nodad\n", lab_host_address(AF_INET6, h));
	fputs("route add default via 10.0.0.1\nroute add default via fd00:10::1\n", out);
	fprintf(out, "route add local 10.%d.0.0/16 dev lo\nroute add local fd00:10:%d::/48 dev lo\n", h, h);
}

static void number_inside(FILE *out)
{
	fputs("link set lo up\nlink set eth0 up\n"
	      "addr add 10.200.0.2/24 brd + dev eth0\naddr add fd00:10:200::2/64 dev eth0 nodad\n"
	      "addr add 10.201.0.1/24 dev lo\naddr add fd00:10:201::1/64 dev lo nodad\n"
	      "route add default via 10.200.0.1\nroute add default via fd00:10:200::1\n",
	      out);
}

static void number_isp(struct lab *lab, const struct lab_isp *isp, FILE *out)
{
	int k = isp->index;

	fputs("link set lo up\nlink set up0 up\n", out);
	fprintf(out, "addr add 172.31.%d.2/24 dev up0\naddr add fd00:31:%x::2/64 dev up0 nodad\n", k, k);
	fprintf(out, "route add default via 172.31.%d.1\nroute add default via fd00:31:%x::1\n", k, k);
	lab_wan_isp(lab, isp, out);
}

static void number_internet(struct lab *lab, FILE *out)
{
	fputs("link set lo up\n", out);
	for (int n = 1; n <= LAB_SERVERS; n++) {
		fprintf(out, "addr add %s/32 dev lo\n", lab_server_address(AF_INET, n));
		fprintf(out, "addr add %s/128 dev lo nodad\n", lab_server_address(AF_INET6, n));
	}
	for (int k = 1; k <= lab->isps; k++) {
		fprintf(out, "link set isp%d up\naddr add 172.31.%d.1/24 dev isp%d\n", k, k, k);
		fprintf(out, "addr add fd00:31:%x::1/64 dev isp%d nodad\n", k, k);
		lab_wan_internet(&lab->isp[k], out);
	}
}

static void number_all(struct lab *lab)
{
	struct step step = {.count = 0};

	for (int k = 1; k <= lab->isps; k++)
		number_isp(lab, &lab->isp[k], step_batch(&step, &lab->isp[k].ns));
	for (int h = 1; h <= lab->spec.hosts; h++)
		number_host(h, step_batch(&step, &lab->host[h]));
	number_inside(step_batch(&step, &lab->inside));
	number_internet(lab, step_batch(&step, &lab->internet));
	number_router(lab, step_batch(&step, &lab->router));
	lab_wan_shared_port(lab, step_batch(&step, &lab->wire));
	step_run(&step);
}

static void load_rules(struct lab *lab)
{
	static const char *const argv[] = {"nft", "-f", "-", NULL};
	struct lab_job job[LAB_ISPS_MAX + 1];

	for (int k = 1; k <= lab->isps; k++) {
		char *text = lab_rules_text(lab, &lab->isp[k]);

		lab_job_start(&job[k], &lab->isp[k].ns, argv, text);
		free(text);
	}
	for (int k = 1; k <= lab->isps; k++) {
		lab_job_finish(&job[k]);
		lab->isp[k].nft = lab_nft_open(&lab->isp[k]);
	}
}

static bool all_running(void *arg)
{
	struct lab *lab = arg;

	for (int k = 1; k <= lab->isps; k++)
		if (!lab_ns_link_running(&lab->router, lab->isp[k].wan))
			return false;
	return lab_ns_link_running(&lab->router, "lan0") && lab_ns_link_running(&lab->router, "lan1");
}

struct lab *lab_create(const struct lab_spec *spec)
{
	struct lab *lab = lab_alloc(1, sizeof(*lab));

	pthread_mutex_init(&lab->lock, NULL);
	read_spec(lab, spec);
	lab_janitor_start(lab);
	lab_limit_raise();
	make_places(lab);
	make_links(lab);
	make_router_links(lab);
	number_all(lab);
	load_rules(lab);
	lab->server = lab_server_start(lab, &lab->internet, NULL);
	if (!lab_wait_until(all_running, lab, READY_LIMIT_MS))
		lab_die("the router's interfaces got no carrier");
	return lab;
}

static void close_places(struct lab *lab)
{
	lab_ns_close(&lab->router);
	lab_ns_close(&lab->internet);
	lab_ns_close(&lab->wire);
	lab_ns_close(&lab->inside);
	for (int h = 1; h <= lab->spec.hosts; h++)
		lab_ns_close(&lab->host[h]);
	for (int k = 1; k <= lab->isps; k++) {
		lab_nft_close(lab->isp[k].nft);
		lab_ns_close(&lab->isp[k].ns);
	}
}

static void free_lists(struct lab *lab)
{
	while (lab->strings) {
		struct lab_string *next = lab->strings->next;

		free(lab->strings);
		lab->strings = next;
	}
	while (lab->prefixes) {
		struct lab_prefix *next = lab->prefixes->next;

		free(lab->prefixes);
		lab->prefixes = next;
	}
}

void lab_destroy(struct lab *lab)
{
	if (!lab)
		return;
	lab_task_discard_all(lab);
	lab_proc_stop_all(lab);
	close_places(lab);
	lab_janitor_end(lab);
	free_lists(lab);
	lab_limit_restore();
	pthread_mutex_destroy(&lab->lock);
	free(lab);
}
