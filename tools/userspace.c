// SPDX-License-Identifier: GPL-2.0
/* Devices of userspace implementations, by text over a socket. (layer 4) */
#include "userspace.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base64.h"
#include "curve25519.h"
#include "parse.h"

#define USERSPACE_SUFFIX	".sock"
#define USERSPACE_ANSWER_MAX	(1UL << 30)

/* --- the socket ----------------------------------------------------------- */

static int userspace_connect(struct ctx *ctx, const char *name)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct stat st;
	int fd, n, err;

	if (!*name || strchr(name, '/'))
		return -ENODEV;
	n = snprintf(sun.sun_path, sizeof(sun.sun_path),
		     "%s/%s" USERSPACE_SUFFIX, ctx->rundir, name);
	if (n < 0 || (size_t)n >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	if (lstat(sun.sun_path, &st))
		return -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EBADF;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, (struct sockaddr *)&sun, sizeof(sun)))
		return fd;
	err = -errno;
	close(fd);
	/* Its process died without cleaning up. */
	if (err == -ECONNREFUSED)
		unlink(sun.sun_path);
	return err;
}

bool userspace_has(struct ctx *ctx, const char *name)
{
	int fd = userspace_connect(ctx, name);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

int userspace_list(struct ctx *ctx, struct name_list *list)
{
	DIR *dir = opendir(ctx->rundir);
	struct dirent *ent;
	int ret = 0;

	if (!dir)
		return 0;
	while (!ret && (ent = readdir(dir))) {
		size_t len = strlen(ent->d_name), cut;

		if (len <= strlen(USERSPACE_SUFFIX))
			continue;
		cut = len - strlen(USERSPACE_SUFFIX);
		if (strcmp(ent->d_name + cut, USERSPACE_SUFFIX))
			continue;
		ent->d_name[cut] = '\0';
		if (userspace_has(ctx, ent->d_name))
			ret = name_list_add(list, ent->d_name);
	}
	closedir(dir);
	return ret;
}

static int userspace_send(int fd, const char *data, size_t len)
{
	ssize_t n;

	while (len) {
		n = send(fd, data, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= n;
	}
	return 0;
}

/* --- reading -------------------------------------------------------------- */

static int userspace_number(const char *value, uint64_t max, uint64_t *n)
{
	return parse_number(value, max, n) ? -EPROTO : 0;
}

static int userspace_endpoint(const char *value, union model_endpoint *ep)
{
	struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_DGRAM,
		.ai_protocol = IPPROTO_UDP,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
	};
	struct ctx quiet = { 0 };
	struct addrinfo *res;
	char *host, *port;
	int ret = -EPROTO;

	if (parse_split_endpoint(&quiet, value, &host, &port))
		return -EPROTO;
	if (!getaddrinfo(host, port, &hints, &res)) {
		if (res->ai_addrlen <= sizeof(*ep)) {
			memcpy(ep, res->ai_addr, res->ai_addrlen);
			ret = 0;
		}
		freeaddrinfo(res);
	}
	free(host);
	return ret;
}

static int userspace_allowedip(struct model_peer *peer, char *value)
{
	struct model_allowedip *aip = model_add_allowedip(peer);
	char *slash = strchr(value, '/');
	uint64_t cidr;

	if (!aip)
		return -ENOMEM;
	if (!slash)
		return -EPROTO;
	*slash = '\0';
	aip->family = strchr(value, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(aip->family, value, &aip->ip) != 1 ||
	    userspace_number(slash + 1, aip->family == AF_INET ? 32 : 128,
			     &cidr))
		return -EPROTO;
	aip->cidr = cidr;
	return 0;
}

static int userspace_take_peer(struct model_peer *peer, const char *key,
			       char *value)
{
	uint64_t n = 0;
	int ret = 0;

	if (!strcmp(key, "preshared_key")) {
		if (!hex_decode_key(peer->preshared_key, value))
			return -EPROTO;
		peer->has |= MODEL_PEER_PRESHARED_KEY;
	} else if (!strcmp(key, "endpoint")) {
		ret = userspace_endpoint(value, &peer->endpoint);
		peer->has |= MODEL_PEER_ENDPOINT;
	} else if (!strcmp(key, "persistent_keepalive_interval")) {
		ret = userspace_number(value, UINT16_MAX, &n);
		peer->keepalive = n;
		peer->has |= MODEL_PEER_KEEPALIVE;
	} else if (!strcmp(key, "allowed_ip")) {
		ret = userspace_allowedip(peer, value);
	} else if (!strcmp(key, "last_handshake_time_sec")) {
		ret = userspace_number(value, INT64_MAX, &n);
		peer->handshake_sec = n;
	} else if (!strcmp(key, "last_handshake_time_nsec")) {
		ret = userspace_number(value, INT64_MAX, &n);
		peer->handshake_nsec = n;
	} else if (!strcmp(key, "rx_bytes")) {
		ret = userspace_number(value, UINT64_MAX / 16, &peer->rx_bytes);
	} else if (!strcmp(key, "tx_bytes")) {
		ret = userspace_number(value, UINT64_MAX / 16, &peer->tx_bytes);
	}
	return ret;
}

static int userspace_new_peer(struct model_device *dev, const char *value)
{
	struct model_peer *peer = model_add_peer(dev);

	if (!peer)
		return -ENOMEM;
	peer->has |= MODEL_PEER_PUBLIC_KEY;
	return hex_decode_key(peer->public_key, value) ? 0 : -EPROTO;
}

int userspace_take(struct model_device *dev, char *line, int *err)
{
	char *value = strchr(line, '=');
	uint64_t n = 0;
	int ret = 0;

	if (!value)
		return -EPROTO;
	*value++ = '\0';
	if (!strcmp(line, "errno")) {
		if (*value == '-')
			value++;
		ret = userspace_number(value, 4095, &n);
		*err = -(int)n;
	} else if (!strcmp(line, "public_key")) {
		ret = userspace_new_peer(dev, value);
	} else if (dev->last) {
		ret = userspace_take_peer(dev->last, line, value);
	} else if (!strcmp(line, "private_key")) {
		if (!hex_decode_key(dev->private_key, value))
			return -EPROTO;
		dev->has |= MODEL_DEVICE_PRIVATE_KEY;
	} else if (!strcmp(line, "listen_port")) {
		ret = userspace_number(value, UINT16_MAX, &n);
		dev->listen_port = n;
		dev->has |= MODEL_DEVICE_LISTEN_PORT;
	} else if (!strcmp(line, "fwmark")) {
		ret = userspace_number(value, UINT32_MAX, &n);
		dev->fwmark = n;
		dev->has |= MODEL_DEVICE_FWMARK;
	}
	return ret;
}

static int userspace_take_answer(struct model_device *dev, char *text)
{
	int ret = 0, err = -EPROTO;
	char *line;

	while (!ret && (line = strsep(&text, "\n"))) {
		if (*line)
			ret = userspace_take(dev, line, &err);
	}
	return ret ? ret : err;
}

/* Send a request, then read until the other side closes or says errno. */
static int userspace_exchange(int fd, const char *request, size_t len,
			      struct model_device *dev)
{
	struct text answer = { 0 };
	int ret;

	ret = userspace_send(fd, request, len);
	if (ret)
		return ret;
	/* Servers go on waiting for requests until they see the end. */
	shutdown(fd, SHUT_WR);
	ret = text_slurp(&answer, fd, USERSPACE_ANSWER_MAX);
	if (!ret)
		ret = userspace_take_answer(dev, answer.data);
	text_free(&answer);
	return ret;
}

int userspace_get(struct ctx *ctx, const char *name,
		  struct model_device **out)
{
	static const char request[] = "get=1\n\n";
	struct model_device *dev;
	int fd, ret;

	fd = userspace_connect(ctx, name);
	if (fd < 0)
		return fd;
	dev = model_device_create(name);
	ret = dev ? userspace_exchange(fd, request, strlen(request), dev) :
		    -ENOMEM;
	close(fd);
	if (ret) {
		model_device_free(dev);
		return ret;
	}
	/* The protocol does not tell it. */
	if (!key_is_zero(dev->private_key)) {
		curve25519_public_key(dev->public_key, dev->private_key);
		dev->has |= MODEL_DEVICE_PUBLIC_KEY;
	}
	*out = dev;
	return 0;
}

/* --- writing -------------------------------------------------------------- */

static void userspace_write_key(struct text *out, const char *name,
				const uint8_t key[WG_KEY_LEN])
{
	char hex[HEX_KEY_SIZE];

	hex_encode_key(hex, key);
	text_printf(out, "%s=%s\n", name, hex);
	explicit_bzero(hex, sizeof(hex));
}

static void userspace_write_peer(struct text *out,
				 const struct model_peer *peer)
{
	const struct model_allowedip *aip;
	char text[MODEL_ENDPOINT_TEXT], ip[MODEL_ALLOWEDIP_TEXT];

	userspace_write_key(out, "public_key", peer->public_key);
	if (peer->has & MODEL_PEER_REMOVE) {
		text_put(out, "remove=true\n");
		return;
	}
	if (peer->has & MODEL_PEER_UPDATE_ONLY)
		text_put(out, "update_only=true\n");
	if (peer->has & MODEL_PEER_PRESHARED_KEY)
		userspace_write_key(out, "preshared_key", peer->preshared_key);
	if (peer->has & MODEL_PEER_ENDPOINT &&
	    model_endpoint_text(text, &peer->endpoint))
		text_printf(out, "endpoint=%s\n", text);
	if (peer->has & MODEL_PEER_KEEPALIVE)
		text_printf(out, "persistent_keepalive_interval=%u\n",
			    peer->keepalive);
	if (peer->has & MODEL_PEER_REPLACE_ALLOWEDIPS)
		text_put(out, "replace_allowed_ips=true\n");
	for (aip = peer->first; aip; aip = aip->next) {
		model_allowedip_addr(ip, aip);
		text_printf(out, "allowed_ip=%s%s/%u\n",
			    aip->remove ? "-" : "", ip, aip->cidr);
	}
}

void userspace_write(struct text *out, const struct model_device *dev)
{
	const struct model_peer *peer;

	text_put(out, "set=1\n");
	if (dev->has & MODEL_DEVICE_PRIVATE_KEY)
		userspace_write_key(out, "private_key", dev->private_key);
	if (dev->has & MODEL_DEVICE_LISTEN_PORT)
		text_printf(out, "listen_port=%u\n", dev->listen_port);
	if (dev->has & MODEL_DEVICE_FWMARK)
		text_printf(out, "fwmark=%" PRIu32 "\n", dev->fwmark);
	if (dev->has & MODEL_DEVICE_REPLACE_PEERS)
		text_put(out, "replace_peers=true\n");
	for (peer = dev->first; peer; peer = peer->next)
		userspace_write_peer(out, peer);
	text_put(out, "\n");
}

int userspace_set(struct ctx *ctx, const struct model_device *dev)
{
	struct model_device *answer;
	struct text request = { 0 };
	int fd, ret;

	fd = userspace_connect(ctx, dev->name);
	if (fd < 0)
		return fd;
	userspace_write(&request, dev);
	answer = model_device_create(dev->name);
	ret = request.broken || !answer ? -ENOMEM : 0;
	if (!ret)
		ret = userspace_exchange(fd, request.data, request.len, answer);
	close(fd);
	model_device_free(answer);
	text_free(&request);
	return ret;
}
