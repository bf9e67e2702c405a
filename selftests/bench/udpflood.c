// SPDX-License-Identifier: GPL-2.0
/*
 * Sends UDP datagrams of one size for some time, 64 with each system call, and
 * prints how many it sent. With a rate it paces itself by the burst.
 *
 *	udpflood ADDRESS PORT BYTES MILLISECONDS [PER_SECOND]
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BURST = 64, BYTES_MAX = 65000 };

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	static char payload[BYTES_MAX];
	struct mmsghdr msgs[BURST] = { 0 };
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct iovec iov = { .iov_base = payload };
	double start, end, rate = 0;
	unsigned long sent = 0;
	int fd, i, n;

	if (argc < 5 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) {
		fprintf(stderr, "usage: udpflood ADDRESS PORT BYTES MILLISECONDS [PER_SECOND]\n");
		return 1;
	}
	to.sin_port = htons(atoi(argv[2]));
	iov.iov_len = atoi(argv[3]);
	if (iov.iov_len > BYTES_MAX)
		return 1;
	if (argc > 5)
		rate = atof(argv[5]);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)))
		return 1;
	for (i = 0; i < BURST; i++) {
		msgs[i].msg_hdr.msg_iov = &iov;
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	start = now();
	end = start + atoi(argv[4]) / 1e3;
	while (now() < end) {
		n = sendmmsg(fd, msgs, BURST, 0);
		if (n > 0)
			sent += n;
		while (rate && now() < end && sent > (now() - start) * rate)
			usleep(100);
	}
	printf("%lu\n", sent);
	return 0;
}
