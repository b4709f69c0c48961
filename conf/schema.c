// SPDX-License-Identifier: GPL-2.0-or-later
#include "conf/schema.h"

#include <string.h>

#include "gwd/base/vec.h"

static int locate(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	(void)opt;
	(void)value;
	*(long *)result = cfg->line;
	return 0;
}

#define ONE(name) CFG_INT_CB(name, 0, CFGF_NODEFAULT, locate)
#define LIST(name) CFG_INT_LIST_CB(name, 0, CFGF_NODEFAULT, locate)

static cfg_opt_t lan_options[] = {
	LIST("interfaces"),
	LIST("networks"),
	CFG_END(),
};

static cfg_opt_t probe_options[] = {
	ONE("type"),    LIST("targets"), ONE("need"),    ONE("interval"), ONE("fast"),   ONE("timeout"),
	ONE("fall"),    ONE("rise"),     ONE("hold"),    ONE("port"),     ONE("path"),   ONE("host"),
	LIST("status"), ONE("expect"),   ONE("verify"),  ONE("query"),    ONE("record"), ONE("rcode"),
	ONE("command"), ONE("loss"),     ONE("latency"), ONE("jitter"),   ONE("window"), CFG_END(),
};

static cfg_opt_t gateway_options[] = {
	ONE("interface"), ONE("address"), ONE("address6"),   ONE("snat"),     ONE("snat6"),
	ONE("weight"),    LIST("probes"), ONE("need"),       ONE("failback"), ONE("max-flows"),
	ONE("bandwidth"), ONE("spill"),   ONE("slow-start"), CFG_END(),
};

static cfg_opt_t use_options[] = {
	ONE("tier"),
	ONE("weight"),
	CFG_END(),
};

static cfg_opt_t balance_options[] = {
	ONE("scheduler"),
	ONE("persistence"),
	ONE("persist-by"),
	ONE("persist-mask"),
	ONE("persist-mask6"),
	LIST("gateways"),
	CFG_SEC("use", use_options, CFGF_MULTI | CFGF_TITLE),
	CFG_END(),
};

static cfg_opt_t rule_options[] = {
	LIST("from"),  LIST("to"),        LIST("protocol"), LIST("ports"), LIST("sports"),
	LIST("dscp"),  LIST("interface"), ONE("mark"),      ONE("own"),    ONE("strict"),
	ONE("bypass"), ONE("balance"),    ONE("gateway"),   CFG_END(),
};

static cfg_opt_t limit_source_options[] = {
	ONE("connections"),
	ONE("rate"),
	CFG_END(),
};

static cfg_opt_t real_options[] = {
	ONE("address"),
	ONE("port"),
	ONE("weight"),
	ONE("max-connections"),
	ONE("min-connections"),
	ONE("forward"),
	LIST("probes"),
	ONE("need"),
	CFG_END(),
};

static cfg_opt_t backup_options[] = {
	ONE("address"), ONE("port"), ONE("weight"), ONE("forward"), LIST("probes"), ONE("need"), CFG_END(),
};

static cfg_opt_t sorry_options[] = {
	ONE("address"), ONE("port"), ONE("forward"), LIST("probes"), ONE("need"), CFG_END(),
};

static cfg_opt_t service_options[] = {
	LIST("listen"),
	LIST("protocol"),
	ONE("forward"),
	LIST("source"),
	ONE("scheduler"),
	ONE("persistence"),
	ONE("persist-mask"),
	ONE("persist-mask6"),
	LIST("probes"),
	ONE("need"),
	ONE("syn-proxy"),
	ONE("slow-start"),
	ONE("ftp"),
	ONE("vip-interface"),
	ONE("on-removal"),
	CFG_SEC("limit-source", limit_source_options, CFGF_MULTI),
	CFG_SEC("real", real_options, CFGF_MULTI | CFGF_TITLE),
	CFG_SEC("backup", backup_options, CFGF_MULTI | CFGF_TITLE),
	CFG_SEC("sorry", sorry_options, CFGF_MULTI),
	CFG_END(),
};

static cfg_opt_t root_options[] = {
	ONE("mark-mask"),
	ONE("table-base"),
	ONE("rule-priority"),
	ONE("fastpath"),
	ONE("on-exit"),
	ONE("control"),
	ONE("control-group"),
	ONE("http"),
	ONE("notify"),
	CFG_SEC("lan", lan_options, CFGF_MULTI), // a second one is an error, but read to find its errors
	CFG_SEC("probe", probe_options, CFGF_MULTI | CFGF_TITLE),
	CFG_SEC("gateway", gateway_options, CFGF_MULTI | CFGF_TITLE),
	CFG_SEC("balance", balance_options, CFGF_MULTI | CFGF_TITLE),
	CFG_SEC("rule", rule_options, CFGF_MULTI | CFGF_TITLE),
	CFG_SEC("service", service_options, CFGF_MULTI | CFGF_TITLE),
	CFG_END(),
};

cfg_opt_t *schema_root(void)
{
	return root_options;
}

const cfg_opt_t *schema_find(const cfg_opt_t *table, const char *name)
{
	for (; table->name; table++)
		if (table->name[0] == name[0] && strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

bool schema_is_section(const char *name)
{
	const cfg_opt_t *opt = schema_find(root_options, name);
	return opt && opt->type == CFGT_SEC;
}
