// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * labsh: the lab at a prompt.
 *
 *     labsh [OPTIONS] [--] [COMMAND…]    builds a network and runs a shell, or COMMAND, on its router
 *     labsh COMMAND…                     inside such a shell: pokes the lab; `labsh help`
 *
 * The network and everything in it is gone when the shell ends.
 */
#include "test/lab/lab.h"
#include "test/lab/lab_prompt.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage[] = "usage: labsh [OPTIONS] [--] [COMMAND...]\n"
			    "Builds a network of namespaces and runs a shell, or COMMAND, on its router.\n"
			    "  -i, --isps N       ISPs with a wire of their own (3)\n"
			    "  -n, --hosts N      LAN hosts (2)\n"
			    "  -s, --shared       two more ISPs on one wire, each with its own subnet\n"
			    "  -o, --one-subnet   two more ISPs on one wire, in one subnet\n"
			    "  -p, --ppp          one more ISP on a point-to-point link, ppp0\n"
			    "  -r, --routes       default routes in the main table, one per ISP\n";

static const struct option options[] = {
	{"isps", required_argument, NULL, 'i'}, {"hosts", required_argument, NULL, 'n'},
	{"shared", no_argument, NULL, 's'},     {"one-subnet", no_argument, NULL, 'o'},
	{"ppp", no_argument, NULL, 'p'},        {"routes", no_argument, NULL, 'r'},
	{"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0},
};

/* Reads the options; true if the lab can be built with them. */
static bool read_spec(int argc, char *argv[], struct lab_spec *spec)
{
	int option;

	while ((option = getopt_long(argc, argv, "+i:n:soprh", options, NULL)) >= 0) {
		if (option == 'i')
			spec->isps = atoi(optarg);
		else if (option == 'n')
			spec->hosts = atoi(optarg);
		else if (option == 's')
			spec->shared = LAB_SHARED_TWO_SUBNETS;
		else if (option == 'o')
			spec->shared = LAB_SHARED_ONE_SUBNET;
		else if (option == 'p')
			spec->ppp = true;
		else if (option == 'r')
			spec->routes = true;
		else
			return false;
	}
	return spec->isps >= 0 && spec->isps <= LAB_ISPS_MAX - 3 && spec->hosts >= 0 &&
	       spec->hosts <= LAB_HOSTS_MAX;
}

int main(int argc, char *argv[])
{
	struct lab_spec spec = {.isps = 3};
	const char *const *command = NULL;
	struct lab *lab;
	int status;

	if (lab_prompt_inside())
		return lab_prompt_send(argc - 1, argv + 1);
	if (!read_spec(argc, argv, &spec)) {
		fputs(usage, stderr);
		return 2;
	}
	if (lab_missing()) {
		fprintf(stderr, "labsh: no lab can be built here: %s\n", lab_missing());
		return 1;
	}
	if (optind < argc)
		command = (const char *const *)(argv + optind);
	lab = lab_create(&spec);
	status = lab_prompt(lab, command);
	lab_destroy(lab);
	return status;
}
