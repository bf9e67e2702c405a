// SPDX-License-Identifier: GPL-2.0
/*
 * Sends the contents of a file as UDP datagrams, over and over, at a rate.
 *
 *	flood ADDRESS PORT FILE MILLISECONDS PER_SECOND
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BURST = 16 };

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	static char payload[2048];
	struct mmsghdr msgs[BURST] = { 0 };
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct iovec iov = { .iov_base = payload };
	double start, end, rate;
	unsigned long sent = 0;
	int fd, i, n;
	FILE *file;

	if (argc != 6 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1 ||
	    !(file = fopen(argv[3], "r"))) {
		fprintf(stderr, "usage: flood ADDRESS PORT FILE MILLISECONDS PER_SECOND\n");
		return 1;
	}
	to.sin_port = htons(atoi(argv[2]));
	iov.iov_len = fread(payload, 1, sizeof(payload), file);
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
		while (now() < end && sent > (now() - start) * rate)
			usleep(200);
	}
	return 0;
}
