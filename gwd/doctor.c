// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/doctor.h"

#include <ctype.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "gwd/core/facts.h"
#include "gwd/core/model.h"
#include "gwd/core/plan.h"
#include "gwd/table.h"

#define DOCTOR_FULL 80 // percent of conntrack's room

void doctor_find(struct doctor *doctor, const char *remedy, const char *format, ...)
{
	struct doctor_finding *finding;
	va_list ap;
	vec_add(&doctor->findings, finding);
	finding->remedy = xstrdup(remedy);
	va_start(ap, format);
	if (vasprintf(&finding->what, format, ap) < 0)
		abort();
	va_end(ap);
}

void doctor_free(struct doctor *doctor)
{
	vec_each(&doctor->findings, finding) {
		free(finding->what);
		free(finding->remedy);
	}
	vec_free(&doctor->findings);
}

void doctor_host_free(struct doctor_host *host)
{
	vec_free(&host->unpinned);
	vec_free(&host->settings);
	vec_free(&host->kernel);
	vec_free(&host->modules);
	foreign_free(&host->foreign);
}

// ---- sysctl ----------------------------------------------------------------------------------

// "net.ipv4.ip_forward = 1", "-net/ipv4/ip_forward=1": with a dot first, dots are slashes, and slashes dots.
bool doctor_parse_setting(const char *line, struct doctor_setting *setting)
{
	const char *key = line + strspn(line, " \t-"), *equals = strchr(key, '=');
	size_t n = equals ? (size_t)(equals - key) : 0;
	while (n && isspace((unsigned char)key[n - 1]))
		n--;
	if (!n || *key == '#' || *key == ';' || n >= sizeof(setting->path))
		return false;
	bool dots = strcspn(key, ".") < strcspn(key, "/");
	for (size_t i = 0; i < n; i++)
		setting->path[i] = !dots ? key[i] : key[i] == '.' ? '/' : key[i] == '/' ? '.' : key[i];
	setting->path[n] = 0;
	const char *value = equals + 1 + strspn(equals + 1, " \t");
	n = strcspn(value, "\r\n");
	while (n && isspace((unsigned char)value[n - 1]))
		n--;
	snprintf(setting->value, sizeof(setting->value), "%.*s", (int)n, value);
	return true;
}

static bool sysctl_is_right(const struct plan_sysctl *want, const char *value)
{
	return !strcmp(want->value, value) || (want->only_if[0] && strcmp(want->only_if, value) != 0);
}

static void judge_sysctl(struct doctor *doctor, const struct doctor_host *host,
			 const struct plan_sysctl *want)
{
	char remedy[256];
	vec_each(&host->kernel, now) {
		if (strcmp(now->path, want->path) != 0 || sysctl_is_right(want, now->value))
			continue;
		snprintf(remedy, sizeof(remedy), "find out who changes it, then: echo %s > /proc/sys/%s",
			 want->value, want->path);
		doctor_find(doctor, remedy, "%s is %s, and must be %s %s", want->path, now->value,
			    want->value, want->why);
	}
	const struct doctor_setting *last = NULL;
	vec_each(&host->settings, set)
		if (!strcmp(set->path, want->path))
			last = set;
	if (!last || sysctl_is_right(want, last->value))
		return;
	snprintf(remedy, sizeof(remedy), "take the line out of %s", last->file);
	doctor_find(doctor, remedy, "%s sets %s to %s: it would undo gwd's %s when it is read again",
		    last->file, last->path, last->value, want->value);
}

// ---- other programs' rules ---------------------------------------------------------------------

static void judge_foreign(struct doctor *doctor, const struct foreign_chain *chain, const struct model *model)
{
	char remedy[512];
	const char *lan = model->lan.n_interfaces ? model->lan.interfaces[0] : "LAN";
	if (chain->forward && chain->drops) {
		snprintf(remedy, sizeof(remedy),
			 "if nothing there accepts it yet: nft insert rule %s %s %s iifname %s accept; nft "
			 "insert "
			 "rule %s %s %s ct state established,related accept",
			 chain->family, chain->table, chain->name, lan, chain->family, chain->table,
			 chain->name);
		doctor_find(doctor, remedy,
			    "chain %s of table %s %s drops what no rule of it accepts to forward",
			    chain->name, chain->family, chain->table);
	}
	if (!chain->forward && chain->translates && chain->priority <= 100) {
		snprintf(remedy, sizeof(remedy),
			 "take those rules out, or let them leave out the gateways' interfaces: gwd "
			 "translates what leaves there");
		doctor_find(doctor, remedy,
			    "chain %s of table %s %s may translate sources before gwd does: the snat of a "
			    "gateway does not apply to what it takes",
			    chain->name, chain->family, chain->table);
	}
}

// ---- conntrack ---------------------------------------------------------------------------------

static void judge_conntrack(struct doctor *doctor, const struct doctor_host *host)
{
	char remedy[128];
	if (host->flows_max && host->flows * 100 >= host->flows_max * DOCTOR_FULL) {
		snprintf(remedy, sizeof(remedy), "sysctl -w net.netfilter.nf_conntrack_max=%llu",
			 (unsigned long long)host->flows_max * 2);
		doctor_find(doctor, remedy, "conntrack is nearly full: %llu of %llu flows",
			    (unsigned long long)host->flows, (unsigned long long)host->flows_max);
	}
	if (host->insert_failed)
		doctor_find(
			doctor,
			"if it grows: give the gateway a range of addresses (snat = \"FIRST-LAST\"), or look "
			"for a client that opens too many",
			"%llu flows found no free source port since the kernel started, and were dropped",
			(unsigned long long)host->insert_failed);
	if (host->dropped)
		doctor_find(
			doctor, "raise net.netfilter.nf_conntrack_max",
			"%llu packets were dropped since the kernel started because conntrack had no room",
			(unsigned long long)host->dropped);
}

static void judge_unpinned(struct doctor *doctor, const struct doctor_unpinned *unpinned)
{
	doctor_find(doctor,
		    "if it grows: a wider persist-mask (persist-mask6 = 64), or a shorter persistence, makes "
		    "room",
		    "balance %s: %llu new connections were not pinned, as it has no room for more than %u "
		    "clients",
		    unpinned->balance, (unsigned long long)unpinned->flows, PLAN_PIN_SIZE);
}

// ---- interfaces and routes -----------------------------------------------------------------------

static bool is_gateway_interface(const struct model *model, const char *ifname)
{
	for (size_t i = 0; i < model->n_gateways; i++)
		if (!strcmp(model->gateways[i].interface, ifname))
			return true;
	return false;
}

// Main's best default is where flows are taken to leave; by another interface they count as inside.
static void judge_default(struct doctor *doctor, const struct model *model, const struct facts *facts,
			  enum fam fam)
{
	const struct fact_route *best = NULL;
	char remedy[256];
	vec_each(&facts->defaults, route)
		if (route->fam == fam && (!best || route->metric < best->metric))
			best = route;
	const struct fact_iface *iface = best ? facts_iface_by_index(facts, best->oif) : NULL;
	if (!iface || is_gateway_interface(model, iface->name))
		return;
	snprintf(remedy, sizeof(remedy),
		 "make %s a gateway, or give its route a higher metric than the gateways' (NetworkManager: "
		 "ipv%c.route-metric, or ipv%c.never-default)",
		 iface->name, fam == FAM_4 ? '4' : '6', fam == FAM_4 ? '4' : '6');
	doctor_find(
		doctor, remedy,
		"main's default route of IPv%c goes by %s, which is no gateway: gwd takes it for an inside "
		"network and balances nothing",
		fam == FAM_4 ? '4' : '6', iface->name);
}

static void judge_lan(struct doctor *doctor, const struct model *model, const struct facts *facts)
{
	for (size_t i = 0; i < model->lan.n_interfaces; i++)
		vec_each(&facts->ifaces, iface)
			if (model_interface_matches(model->lan.interfaces[i], iface->name))
				return;
	if (model->lan.n_interfaces)
		doctor_find(doctor, "correct the interfaces of lan, or bring them up",
			    "none of the LAN's interfaces exists (%s%s): nothing is balanced",
			    model->lan.interfaces[0], model->lan.n_interfaces > 1 ? ", ..." : "");
}

// ---- all -----------------------------------------------------------------------------------------

// Reals by tun whose tunnel is not there.
static void judge_tunnels(struct doctor *doctor, const struct plan *plan)
{
	char remedy[160];
	vec_each(&plan->services, service)
		vec_each(&service->reals, real) {
			if (real->forward != FORWARD_TUN || real->oif)
				continue;
			enum fam fam = addr_fam(&real->address);
			snprintf(remedy, sizeof(remedy),
				 "modprobe %s, and a line for it in /etc/modules (in a container: on its "
				 "host); or "
				 "another forward",
				 fam == FAM_4 ? "ipip" : "ip6_tunnel");
			doctor_find(doctor, remedy, "%s/%s is by tun, and there is no tunnel to it: %s",
				    service->name, real->name, real->reason);
		}
}

static bool host_has_module(const struct doctor_host *host, const char *name)
{
	vec_each(&host->modules, module)
		if (!strcmp(module->name, name))
			return true;
	return false;
}

// All that gwd needs else the kernel loads when it is asked for; what it can't load makes the ruleset fail, or the tunnel.
// Where nf_nat is built in this one may be, and there is no telling.
static void judge_ftp(struct doctor *doctor, const struct doctor_host *host, const struct model *model)
{
	if (!host_has_module(host, "nf_nat") || host_has_module(host, "nf_nat_ftp"))
		return;
	for (size_t i = 0; i < model->n_services; i++)
		if (model->services[i].ftp)
			doctor_find(
				doctor,
				"modprobe nf_nat_ftp, and a line for it in /etc/modules-load.d/gwd.conf",
				"service %s is of FTP, and nf_nat_ftp is not loaded: its data connections "
				"go astray",
				model->services[i].name);
}

void doctor_judge(struct doctor *doctor, const struct doctor_host *host, const struct model *model,
		  const struct plan *plan, const struct facts *facts)
{
	if (!plan->active)
		doctor_find(doctor, "gwctl reload", "gwd has nothing in the kernel: it was flushed");
	judge_lan(doctor, model, facts);
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
		judge_default(doctor, model, facts, fam);
	vec_each(&plan->sysctls, want)
		judge_sysctl(doctor, host, want);
	vec_each(&host->foreign.chains, chain)
		judge_foreign(doctor, chain, model);
	if (host->legacy)
		doctor_find(doctor,
			    "look at iptables-legacy-save; move what is needed to nft or iptables-nft",
			    "iptables-legacy has rules, which nft and gwd can't see");
	judge_tunnels(doctor, plan);
	judge_ftp(doctor, host, model);
	judge_conntrack(doctor, host);
	vec_each(&host->unpinned, unpinned)
		judge_unpinned(doctor, unpinned);
	if (plan->active && model->globals.fastpath && !plan_find_set(plan, "fast"))
		doctor_find(doctor, "modprobe nf_flow_table_inet, then gwctl reload; or fastpath = off",
			    "this kernel has no flowtables: every packet takes the long way");
}

void doctor_text(const struct doctor *doctor, struct buf *out)
{
	struct table t = {0};
	if (!doctor->findings.n) {
		buf_puts(out, "nothing that gwd knows of stands in its way here\n");
		return;
	}
	table_column(&t, TABLE_LEFT, "");
	table_column(&t, TABLE_LEFT, "");
	vec_each(&doctor->findings, finding) {
		table_row(&t);
		table_cell(&t, "!");
		table_cell(&t, "%s", finding->what);
		table_row(&t);
		table_cell(&t, " ");
		table_cell(&t, "-> %s", finding->remedy);
	}
	table_print(&t, TABLE_WIDTH, out);
	table_free(&t);
}

void doctor_json(const struct doctor *doctor, struct buf *out)
{
	json_t *list = json_array();
	vec_each(&doctor->findings, finding)
		json_array_append_new(
			list, json_pack("{s:s, s:s}", "finding", finding->what, "remedy", finding->remedy));
	json_t *root = json_pack("{s:o}", "findings", list);
	char *text = json_dumps(root, JSON_COMPACT);
	buf_printf(out, "%s\n", text);
	free(text);
	json_decref(root);
}
