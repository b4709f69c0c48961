// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_tun: a point-to-point link made of two tun devices and a thread that carries packets between them.
 *
 * To the kernel a tun device is what a ppp device is: IFF_POINTOPOINT, no ARP, no link layer header, no next
 * hop to resolve; and, like ppp, it comes into being with a new interface index each time it is created.
 * (This kernel has no ppp; a veth pair would have a link layer header, which hides mistakes.)
 */
#include "test/lab/lab_tun.h"

#include "test/lab/lab_die.h"
#include "test/lab/lab_priv.h"
#include "test/lab/lab_proc.h"
#include "test/lab/lab_task.h"
#include "test/lab/lab_wait.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { PPP_MTU = 1492, PACKET_MAX = 2048, TUN_MAJOR = 10, TUN_MINOR = 200 };

struct lab_tun {
	struct lab_task task;
	int end[2]; /* router, ISP */
};

/* Machines without udev (containers, a bare kernel) may lack the device node: use one of our own. */
static int open_device(struct lab *lab)
{
	const char *own = lab_path(lab, "tun");
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0)
		return fd;
	if (mknod(own, S_IFCHR | 0600, makedev(TUN_MAJOR, TUN_MINOR)) && errno != EEXIST)
		lab_must(-1, own);
	return lab_must(open(own, O_RDWR | O_CLOEXEC | O_NONBLOCK), "the tun device");
}

static int open_end(struct lab *lab, const struct lab_ns *ns, const char *ifname)
{
	int before = lab_ns_enter(ns);
	struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	int fd = open_device(lab);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", ifname);
	lab_must(ioctl(fd, TUNSETIFF, &request), ifname);
	lab_ns_leave(before);
	return fd;
}

/* Carries what is waiting at one end to the other, a bounded number so that the other direction has its turn.
 */
static void carry(int from, int to)
{
	char packet[PACKET_MAX];

	for (int i = 0; i < 64; i++) {
		ssize_t length = read(from, packet, sizeof(packet));

		if (length <= 0)
			return;
		if (write(to, packet, (size_t)length) < 0)
			continue; /* the far end is down: lost, as on any line */
	}
}

static void tun_run(struct lab_task *task)
{
	struct lab_tun *tun = (struct lab_tun *)task;
	struct pollfd wait[3] = {
		{tun->end[0], POLLIN, 0}, {tun->end[1], POLLIN, 0}, {task->stop_fd, POLLIN, 0}};

	lab_task_hurry();
	while (!(wait[2].revents & POLLIN)) {
		poll(wait, 3, -1);
		carry(tun->end[0], tun->end[1]);
		carry(tun->end[1], tun->end[0]);
		for (int i = 0; i < 2; i++)
			if (wait[i].revents & POLLERR)
				wait[i].fd = -1; /* somebody deleted the interface */
	}
}

static void tun_discard(struct lab_task *task)
{
	lab_tun_delete((struct lab_tun *)task);
}

struct lab_tun *lab_tun_create(struct lab *lab, struct lab_isp *isp)
{
	struct lab_tun *tun = lab_alloc(1, sizeof(*tun));

	tun->end[0] = open_end(lab, &lab->router, isp->wan);
	tun->end[1] = open_end(lab, &isp->ns, "cust0");
	isp->tun = tun;
	lab_task_start(lab, &tun->task, &isp->ns, tun_run, tun_discard);
	return tun;
}

void lab_tun_delete(struct lab_tun *tun)
{
	lab_task_end(&tun->task);
	close(tun->end[0]);
	close(tun->end[1]);
	free(tun);
}

int64_t lab_tun_carrier(struct lab_tun *tun, bool on)
{
	int carrier = on;

	lab_must(ioctl(tun->end[0], TUNSETCARRIER, &carrier), "carrier of the point-to-point link");
	return lab_now_ms();
}
