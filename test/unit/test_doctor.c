// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "gwd/doctor.h"
#include "test/unit/fixture.h"

struct patient {
	struct fixture *fixture;
	struct doctor_host host;
};

static struct patient healthy(void)
{
	struct patient p = {.fixture = fixture_new(2)};
	p.fixture->model.globals.fastpath = false; // no flowtables in the fixture
	return p;
}

static void put_setting(struct doctor_host *host, const char *file, const char *path, const char *value)
{
	struct doctor_setting setting;
	snprintf(setting.file, sizeof(setting.file), "%s", file);
	snprintf(setting.path, sizeof(setting.path), "%s", path);
	snprintf(setting.value, sizeof(setting.value), "%s", value);
	if (*file)
		vec_push(&host->settings, setting);
	else
		vec_push(&host->kernel, setting);
}

// One finding with this text, or none (NULL); frees the patient.
static void expect(struct patient *p, const char *what, const char *remedy)
{
	struct plan plan = {0};
	struct doctor doctor = {0};
	struct buf out = {0};
	fixture_build(p->fixture, &plan);
	doctor_judge(&doctor, &p->host, &p->fixture->model, &plan, &p->fixture->facts);
	doctor_json(&doctor, &out);
	cr_expect_eq(doctor.findings.n, what ? 1 : 0, "%s", buf_text(&out));
	if (what && doctor.findings.n) {
		cr_expect(strstr(doctor.findings.v[0].what, what), "%s", buf_text(&out));
		cr_expect(strstr(doctor.findings.v[0].remedy, remedy), "%s", buf_text(&out));
	}
	buf_free(&out);
	doctor_free(&doctor);
	plan_free(&plan);
	doctor_host_free(&p->host);
	fixture_free(p->fixture);
}

Test(doctor, finds_nothing_on_a_healthy_host)
{
	struct patient p = healthy();
	put_setting(&p.host, "", "net/ipv4/ip_forward", "1");
	put_setting(&p.host, "/etc/sysctl.d/a.conf", "net/ipv4/ip_forward", "1");
	put_setting(&p.host, "/etc/sysctl.d/a.conf", "net/ipv4/tcp_syncookies", "0");
	p.host.flows = 79;
	p.host.flows_max = 100;
	expect(&p, NULL, NULL);
}

Test(doctor, settings_that_are_wrong_now_or_would_be_later)
{
	struct patient p = healthy();
	put_setting(&p.host, "", "net/ipv4/ip_forward", "0");
	expect(&p, "net/ipv4/ip_forward is 0, and must be 1", "echo 1 > /proc/sys/net/ipv4/ip_forward");
	p = healthy();
	put_setting(&p.host, "/etc/sysctl.d/90-hard.conf", "net/ipv4/ip_forward", "0");
	expect(&p, "/etc/sysctl.d/90-hard.conf sets net/ipv4/ip_forward to 0", "take the line out");
	p = healthy();
	put_setting(&p.host, "/etc/sysctl.d/90-hard.conf", "net/ipv4/ip_forward", "0");
	put_setting(&p.host, "/etc/sysctl.conf", "net/ipv4/ip_forward", "1"); // the last one counts
	expect(&p, NULL, NULL);
}

Test(doctor, a_balance_without_room_for_more_pins)
{
	struct patient p = healthy();
	struct doctor_unpinned unpinned = {.balance = "default", .flows = 42};
	vec_push(&p.host.unpinned, unpinned);
	expect(&p, "balance default: 42 new connections were not pinned", "persist-mask");
}

Test(doctor, other_programs_chains)
{
	struct foreign_chain drops = {.family = "ip",
				      .table = "filter",
				      .name = "FORWARD",
				      .forward = true,
				      .drops = true},
			     nat = {.family = "ip",
				    .table = "nat",
				    .name = "POSTROUTING",
				    .priority = 100,
				    .translates = true};
	struct patient p = healthy();
	vec_push(&p.host.foreign.chains, drops);
	expect(&p, "chain FORWARD of table ip filter drops",
	       "nft insert rule ip filter FORWARD iifname lan0 accept");
	p = healthy();
	vec_push(&p.host.foreign.chains, nat);
	expect(&p, "chain POSTROUTING of table ip nat may translate sources before gwd",
	       "take those rules out");
	p = healthy();
	drops.drops = false;
	nat.priority = 101; // behind gwd's
	vec_push(&p.host.foreign.chains, drops);
	vec_push(&p.host.foreign.chains, nat);
	expect(&p, NULL, NULL);
	p = healthy();
	p.host.legacy = true;
	expect(&p, "iptables-legacy has rules", "iptables-legacy-save");
}

Test(doctor, conntrack_that_is_full_or_was)
{
	struct patient p = healthy();
	p.host.flows = 80;
	p.host.flows_max = 100;
	expect(&p, "conntrack is nearly full: 80 of 100 flows", "nf_conntrack_max=200");
	p = healthy();
	p.host.insert_failed = 7;
	expect(&p, "7 flows found no free source port", "snat = ");
	p = healthy();
	p.host.dropped = 3;
	expect(&p, "3 packets were dropped", "nf_conntrack_max");
}

Test(doctor, a_default_route_by_something_else_than_a_gateway)
{
	struct patient p = healthy();
	uint32_t lan = fixture_iface(p.fixture, "lan0")->index, wan = fixture_iface(p.fixture, "wan1")->index;
	vec_push(&p.fixture->facts.defaults, (struct fact_route){.fam = FAM_4, .oif = wan, .metric = 100});
	vec_push(&p.fixture->facts.defaults, (struct fact_route){.fam = FAM_4, .oif = lan, .metric = 200});
	expect(&p, NULL, NULL);
	p = healthy();
	vec_push(&p.fixture->facts.defaults, (struct fact_route){.fam = FAM_4, .oif = wan, .metric = 100});
	vec_push(&p.fixture->facts.defaults, (struct fact_route){.fam = FAM_4, .oif = lan, .metric = 50});
	expect(&p, "main's default route of IPv4 goes by lan0, which is no gateway", "ipv4.route-metric");
}

Test(doctor, a_lan_that_is_not_there_and_a_kernel_without_flowtables)
{
	struct patient p = healthy();
	p.fixture->lan = "eth7";
	expect(&p, "none of the LAN's interfaces exists (eth7)", "correct the interfaces");
	p = healthy();
	p.fixture->model.globals.fastpath = true;
	expect(&p, "no flowtables", "modprobe nf_flow_table_inet");
}

Test(doctor, a_real_by_tun_without_a_tunnel)
{
	struct patient p = healthy();
	struct model_service *service = fixture_service(p.fixture, "web");
	fixture_listen(service, "100.64.1.100", 80, 80);
	fixture_real(service, ROLE_REAL, "r1", "10.0.0.11", 0, 1)->forward = FORWARD_TUN;
	expect(&p, "web/r1 is by tun, and there is no tunnel to it", "modprobe ipip");
}

static struct patient with_ftp(const char *const *modules)
{
	struct patient p = healthy();
	struct model_service *service = fixture_service(p.fixture, "files");
	fixture_listen(service, "100.64.1.100", 21, 21);
	fixture_real(service, ROLE_REAL, "r1", "10.0.0.11", 0, 1);
	service->ftp = true;
	for (; *modules; modules++) {
		struct doctor_module module;
		snprintf(module.name, sizeof(module.name), "%s", *modules);
		vec_push(&p.host.modules, module);
	}
	return p;
}

Test(doctor, a_service_of_ftp_without_the_kernel_s_module)
{
	struct patient p = with_ftp((const char *const[]){"nf_nat", "nf_conntrack_ftp", NULL});
	expect(&p, "service files is of FTP, and nf_nat_ftp is not loaded", "modprobe nf_nat_ftp");
	p = with_ftp((const char *const[]){"nf_nat", "nf_nat_ftp", NULL});
	expect(&p, NULL, NULL);
	p = with_ftp((const char *const[]){NULL}); // nf_nat is built in, and so may this be
	expect(&p, NULL, NULL);
}

Test(doctor, lines_of_sysctl_files)
{
	static const struct {
		const char *line, *path, *value;
	} good[] = {
		{"net.ipv4.ip_forward = 1\n", "net/ipv4/ip_forward", "1"},
		{"-net/ipv4/ip_forward=0", "net/ipv4/ip_forward", "0"},
		{"  net.ipv6.conf.eth0/100.accept_ra\t=\t2 \n", "net/ipv6/conf/eth0.100/accept_ra", "2"},
		{"net/ipv6/conf/eth0.100/accept_ra = 2", "net/ipv6/conf/eth0.100/accept_ra", "2"},
	};
	static const char *const none[] = {
		"", "\n", "# net.ipv4.ip_forward = 1", "; x = 1", "net.ipv4.ip_forward", "= 1"};
	struct doctor_setting setting;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		cr_assert(doctor_parse_setting(good[i].line, &setting), "%s", good[i].line);
		cr_expect_str_eq(setting.path, good[i].path);
		cr_expect_str_eq(setting.value, good[i].value);
	}
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		cr_expect(!doctor_parse_setting(none[i], &setting), "%s", none[i]);
}
