// SPDX-License-Identifier: GPL-2.0
/* What collides, on a host that is a namespace of our own. */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../host.h"
#include "tap.h"

#define N(a)	(sizeof(a) / sizeof(*(a)))
#define OWN	"uMO02/85awP79m5tZba7aGYqw5kEoaFX4v2+xx5l4UU="
#define OWNPUB	"KC/b0u8agKRxExBfspmQnymoaqXCd63ohsONLMHLPhY="
#define K1	"//////////////////////////////////////////8="
#define K2	"++++++++++++++++++++++++++++++++++++++++++8="
#define HEAD	"[Interface]\nPrivateKey = " OWN "\nAddress = 10.77.0.2/24\n"
#define PEER1	"[Peer]\n# Name = one\nPublicKey = " K1 "\n"
#define PEER2	"[Peer]\n# Name = two\nPublicKey = " K2 "\n"

static void test_check(struct tap *tap, struct tap_run *run, struct rtnl *rtnl)
{
	static const struct {
		const char *file;
		const char *const error;	/* NULL: nothing is wrong */
		const char *second;
	} files[] = {
		{ HEAD PEER1 "AllowedIPs = 0.0.0.0/0, ::/0\nEndpoint = 203.0.113.5:1\n", NULL, NULL },
		{ HEAD PEER1 "AllowedIPs = 10.77.0.1/32\n" PEER2 "AllowedIPs = 10.77.0.3/32\n", NULL, NULL },
		{ HEAD "[Peer]\nPublicKey = " OWNPUB "\n", "own public key", OWNPUB },
		{ HEAD PEER1 "[Peer]\n# Name = again\nPublicKey = " K1 "\n", "one", "again" },
		{ HEAD PEER1 "AllowedIPs = 10.9.0.0/16\n" PEER2 "AllowedIPs = 10.8.0.0/16, 10.9.255.1/16\n",
		  "10.9.0.0/16", "two" },
		{ HEAD PEER1 "AllowedIPs = 10.9.0.0/16\n" PEER2 "AllowedIPs = 10.9.0.0/17\n", NULL, NULL },
		{ HEAD PEER1 "AllowedIPs = ::/0\n" PEER2 "AllowedIPs = fd00::/8, ::/0\n", "::/0", "same AllowedIPs" },
		{ "[Interface]\nAddress = 192.168.7.9/24\n", "Address 192.168.7.9/24", "192.168.7.0/24 of this host" },
		{ "[Interface]\nAddress = 192.168.0.1/16\n", "Address 192.168.0.1/16", "192.168.7.0/24" },
		{ HEAD PEER1 "AllowedIPs = 192.168.7.0/24\n", "AllowedIPs 192.168.7.0/24", "192.168.7.0/24" },
		{ HEAD PEER1 "AllowedIPs = 172.20.5.0/24\n", "AllowedIPs 172.20.5.0/24", "172.20.0.0/16" },
		{ HEAD PEER1 "AllowedIPs = 192.168.0.0/16\n", NULL, NULL },
		{ HEAD "Table = off\n" PEER1 "AllowedIPs = 192.168.7.0/24\n", NULL, NULL },
		{ HEAD PEER1 "AllowedIPs = fd07::1/128\n", "fd07::1/128", "fd07::/64" },
		{ HEAD "ListenPort = 7777\n", "7777", "choose another" },
		{ HEAD "ListenPort = 7778\n", NULL, NULL },
		{ HEAD PEER1 "AllowedIPs = 203.0.113.0/24\nEndpoint = 203.0.113.5:1\n", "endpoint 203.0.113.5:1", "`one'" },
		{ HEAD PEER1 "AllowedIPs = 0.0.0.0/1, 128.0.0.0/1\nEndpoint = 203.0.113.5:1\n", "128.0.0.0/1", "use 0.0.0.0/0" },
		{ HEAD PEER1 "AllowedIPs = 172.0.0.0/8\nEndpoint = 172.20.0.9:1\n", NULL, NULL },
		{ HEAD "Table = 5\n" PEER1 "AllowedIPs = 203.0.113.0/24\nEndpoint = 203.0.113.5:1\n", NULL, NULL },
	};
	size_t i;

	for (i = 0; i < N(files); i++) {
		struct text text = { 0 };
		struct quick *quick;
		int ret;

		text_put(&text, files[i].file);
		if (quick_parse(&run->ctx, "wg0", "x", &text, &quick)) {
			tap_ok(tap, false, "%s", run->ctx.error);
			return;
		}
		run->ctx.error[0] = '\0';
		ret = host_check(&run->ctx, rtnl, quick);
		if (files[i].error)
			tap_ok(tap, ret < 0 &&
			       strstr(run->ctx.error, files[i].error) &&
			       strstr(run->ctx.error, files[i].second) &&
			       !strchr(run->ctx.error, '\n'), "file %zu: %s",
			       i, run->ctx.error);
		else
			tap_ok(tap, !ret, "file %zu is right %s", i,
			       ret ? run->ctx.error : "");
		quick_free(quick);
		text_free(&text);
	}
}

static void test_wan(struct tap *tap, struct tap_run *run, struct rtnl *rtnl)
{
	static const struct {
		const char *addr;
		enum host_wan want;
	} table[] = {
		{ "10.200.0.2", HOST_WAN_PRIVATE },
		{ "100.64.9.2", HOST_WAN_SHARED },
		{ "192.0.0.2", HOST_WAN_DSLITE },
		{ "198.51.100.2", HOST_WAN_PUBLIC },
	};
	struct cidr addr;
	char line[300];
	size_t i;

	tap_ok(tap, host_wan(&run->ctx, rtnl, AF_INET, &addr) ==
	       HOST_WAN_NONE && host_wan_words(HOST_WAN_NONE), "no way out");
	for (i = 0; i < N(table); i++) {
		snprintf(line, sizeof(line), "ip addr flush dev w0; ip addr add %s/30 dev w0; ip route replace default dev w0",
			 table[i].addr);
		if (system(line))
			return;
		tap_ok(tap, host_wan(&run->ctx, rtnl, AF_INET, &addr) ==
		       table[i].want && !host_wan_words(table[i].want) ==
		       (table[i].want == HOST_WAN_PUBLIC), "%s: %s",
		       table[i].addr, host_wan_words(table[i].want));
		cidr_addr_text(line, &addr);
		tap_same(tap, line, table[i].addr, "its address");
	}
}

static void test_pick(struct tap *tap, struct tap_run *run, struct rtnl *rtnl)
{
	struct cidr_list taken = { 0 }, avoid = { 0 };
	struct cidr v4, v6, net;
	char text[CIDR_TEXT];
	unsigned int good = 0, i;

	host_networks(&run->ctx, rtnl, NULL, &taken);
	/* Half of all there is. */
	cidr_list_parse(&run->ctx, "x", "10.0.0.0/9", &avoid);
	for (i = 0; i < 50; i++) {
		host_pick_tunnel(&run->ctx, rtnl, NULL, &avoid, &v4, &v6);
		net = cidr_network(&v4);
		good += v4.len == 24 && cidr_equal(&net, &v4) &&
			!cidr_list_overlap(&taken, &v4) &&
			!cidr_list_overlap(&avoid, &v4) && v6.len == 64;
	}
	cidr_text(text, &v6);
	tap_ok(tap, good == 50 && !strncmp(text, "fd", 2),
	       "free networks, like %s", text);
	cidr_list_parse(&run->ctx, "x", "10.128.0.0/9", &avoid);
	tap_ok(tap, host_pick_tunnel(&run->ctx, rtnl, NULL, &avoid, &v4,
				     &v6) < 0, "none left: %s",
	       run->ctx.error);
	cidr_list_free(&taken);
	cidr_list_free(&avoid);
	tap_ok(tap, host_pick_port(7777) == 7778, "the next free port");
}

int main(void)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET, .sin_port = htons(7777),
	};
	struct tap tap = { .suite = "host" };
	struct tap_run run;
	struct rtnl *rtnl;
	int fd;

	if ((unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET)) ||
	    system("ip link set lo up && ip link add e0 type veth peer name e1 && ip link set e0 up && ip link set e1 up && "
		   "ip link add w0 type veth peer name w1 && ip link set w0 up && ip link set w1 up && "
		   "ip addr add 192.168.7.1/24 dev e0 && ip addr add fd07::5/64 dev e0 nodad && "
		   "ip route add 172.20.0.0/16 via 192.168.7.2")) {
		printf("ok 1 - host # SKIP no network namespace\n1..1\n");
		return 0;
	}
	tap_run_begin(&run);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (bind(fd, (struct sockaddr *)&in, sizeof(in)))
		return 1;
	rtnl_open(&run.ctx, &rtnl);
	test_check(&tap, &run, rtnl);
	test_wan(&tap, &run, rtnl);
	test_pick(&tap, &run, rtnl);
	rtnl_close(rtnl);
	close(fd);
	tap_run_end(&run);
	return tap_end(&tap);
}
