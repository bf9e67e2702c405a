// SPDX-License-Identifier: GPL-2.0
/* Configuration files. (layer 3) */
#include "conf.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base64.h"
#include "parse.h"
#include "resolve.h"
#include "text.h"

#define CONF_SIZE_MAX	(1UL << 30)

enum conf_section {
	CONF_NONE,
	CONF_INTERFACE,
	CONF_PEER,
};

/* @peer_line is where the current peer began, 0 if there is none. */
struct conf {
	struct ctx *ctx;
	struct model_device *dev;
	struct model_peer *peer;
	enum conf_section section;
	const char *name;
	unsigned int line;
	unsigned int peer_line;
};

static int conf_private_key(struct conf *c, const char *value)
{
	c->dev->has |= MODEL_DEVICE_PRIVATE_KEY;
	return parse_secret_key(c->ctx, "PrivateKey", value,
				c->dev->private_key);
}

static int conf_listen_port(struct conf *c, const char *value)
{
	c->dev->has |= MODEL_DEVICE_LISTEN_PORT;
	return resolve_port(c->ctx, value, &c->dev->listen_port);
}

static int conf_fwmark(struct conf *c, const char *value)
{
	c->dev->has |= MODEL_DEVICE_FWMARK;
	return parse_fwmark(c->ctx, value, &c->dev->fwmark);
}

static int conf_public_key(struct conf *c, const char *value)
{
	c->peer->has |= MODEL_PEER_PUBLIC_KEY;
	return parse_public_key(c->ctx, "PublicKey", value,
				c->peer->public_key);
}

static int conf_preshared_key(struct conf *c, const char *value)
{
	c->peer->has |= MODEL_PEER_PRESHARED_KEY;
	return parse_secret_key(c->ctx, "PresharedKey", value,
				c->peer->preshared_key);
}

static int conf_allowedips(struct conf *c, const char *value)
{
	return parse_allowedips(c->ctx, c->peer, value, false);
}

static int conf_endpoint(struct conf *c, const char *value)
{
	c->peer->has |= MODEL_PEER_ENDPOINT;
	return resolve_endpoint(c->ctx, value, &c->peer->endpoint);
}

static int conf_keepalive(struct conf *c, const char *value)
{
	c->peer->has |= MODEL_PEER_KEEPALIVE;
	return parse_keepalive(c->ctx, value, &c->peer->keepalive);
}

static const struct conf_key {
	const char *name;
	enum conf_section section;
	int (*take)(struct conf *c, const char *value);
} conf_keys[] = {
	{ "PrivateKey", CONF_INTERFACE, conf_private_key },
	{ "ListenPort", CONF_INTERFACE, conf_listen_port },
	{ "FwMark", CONF_INTERFACE, conf_fwmark },
	{ "PublicKey", CONF_PEER, conf_public_key },
	{ "PresharedKey", CONF_PEER, conf_preshared_key },
	{ "AllowedIPs", CONF_PEER, conf_allowedips },
	{ "Endpoint", CONF_PEER, conf_endpoint },
	{ "PersistentKeepalive", CONF_PEER, conf_keepalive },
};

/* The place of an error goes in front of its text. */
static int conf_fail_here(struct conf *c, int err)
{
	char text[sizeof(c->ctx->error)];

	memcpy(text, c->ctx->error, sizeof(text));
	return ctx_fail(c->ctx, err, "%.256s:%u: %.700s", c->name, c->line,
			text);
}

#define CONF_WORD_MAX	24	/* shown in errors; a longer word may be a key */

/* Only the part before "=" is shown: the rest may be a key. */
static int conf_unrecognized(struct conf *c, const char *key)
{
	static const char *const quick[] = {
		"Address", "DNS", "MTU", "Table", "PreUp", "PostUp",
		"PreDown", "PostDown", "SaveConfig",
	};
	const char *hint = "";
	size_t i;

	for (i = 0; i < sizeof(quick) / sizeof(quick[0]); i++) {
		if (c->section == CONF_INTERFACE && !strcasecmp(quick[i], key))
			hint = "; it is for wg-quick, use `wg-quick strip' first";
	}
	if (strlen(key) > CONF_WORD_MAX)
		key = "(a long word)";
	ctx_fail(c->ctx, -EINVAL, "Line unrecognized: `%s'%s", key, hint);
	return conf_fail_here(c, -EINVAL);
}

/* A peer without a key is only known when the next section begins. */
static int conf_end_section(struct conf *c)
{
	if (!c->peer || c->peer->has & MODEL_PEER_PUBLIC_KEY)
		return 0;
	return ctx_fail(c->ctx, -EINVAL,
			"%s:%u: A peer is missing a public key; its section needs a line `PublicKey = KEY'",
			c->name, c->peer_line);
}

static int conf_take_section(struct conf *c, const char *line)
{
	int ret = conf_end_section(c);

	if (ret)
		return ret;
	c->peer = NULL;
	if (!strcasecmp(line, "[Interface]")) {
		c->section = CONF_INTERFACE;
		return 0;
	}
	if (strcasecmp(line, "[Peer]"))
		return conf_unrecognized(c, line);
	c->section = CONF_PEER;
	c->peer_line = c->line;
	c->peer = model_add_peer(c->dev);
	if (!c->peer)
		return ctx_fail(c->ctx, -ENOMEM, "Out of memory");
	/* A section says all of a peer's allowed IPs, even if none. */
	c->peer->has |= MODEL_PEER_REPLACE_ALLOWEDIPS;
	return 0;
}

static int conf_take_setting(struct conf *c, char *line)
{
	char *value = strchr(line, '=');
	size_t i;
	int ret;

	if (value)
		*value++ = '\0';
	for (i = 0; i < sizeof(conf_keys) / sizeof(conf_keys[0]); i++) {
		const struct conf_key *key = &conf_keys[i];

		if (key->section != c->section ||
		    strcasecmp(key->name, line))
			continue;
		if (!value || !*value) {
			ctx_fail(c->ctx, -EINVAL,
				 "Line unrecognized: `%s' has no value", line);
			return conf_fail_here(c, -EINVAL);
		}
		ret = key->take(c, value);
		return ret ? conf_fail_here(c, ret) : 0;
	}
	return conf_unrecognized(c, line);
}

/* Cut the comment, then all white space wherever it is. */
static void conf_squeeze(char *line)
{
	char *to = line;

	for (; *line && *line != '#'; line++) {
		if (!isspace((unsigned char)*line))
			*to++ = *line;
	}
	*to = '\0';
}

static int conf_take_line(struct conf *c, char *line)
{
	conf_squeeze(line);
	if (!*line)
		return 0;
	if (*line == '[')
		return conf_take_section(c, line);
	return conf_take_setting(c, line);
}

int conf_parse(struct ctx *ctx, struct model_device *dev, const char *name,
	       char *text, size_t len)
{
	struct conf c = { .ctx = ctx, .dev = dev, .name = name };
	char *end = text + len, *next;
	int ret = 0;

	while (!ret && text < end) {
		c.line++;
		next = memchr(text, '\n', end - text);
		if (!next)
			next = end;
		if (memchr(text, '\0', next - text)) {
			ctx_fail(ctx, -EINVAL,
				 "line has a NUL byte; the file must be text");
			return conf_fail_here(&c, -EINVAL);
		}
		*next = '\0';
		ret = conf_take_line(&c, text);
		text = next + 1;
	}
	return ret ? ret : conf_end_section(&c);
}

int conf_read(struct ctx *ctx, struct model_device *dev, const char *path)
{
	struct text blob = { 0 };
	int fd, ret;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ctx_fail(ctx, -errno,
				"Unable to open configuration file `%s': %s",
				path, strerror(errno));
	ret = text_slurp(&blob, fd, CONF_SIZE_MAX);
	close(fd);
	if (ret)
		ret = ctx_fail(ctx, ret,
			       "Unable to read configuration file `%s': %s",
			       path, strerror(-ret));
	else
		ret = conf_parse(ctx, dev, path, blob.data, blob.len);
	text_free(&blob);
	return ret;
}

void conf_replace_all(struct model_device *dev)
{
	dev->has |= MODEL_DEVICE_REPLACE_PEERS | MODEL_DEVICE_PRIVATE_KEY |
		    MODEL_DEVICE_LISTEN_PORT | MODEL_DEVICE_FWMARK;
}

static void conf_write_key(FILE *out, const char *name,
			   const uint8_t key[WG_KEY_LEN])
{
	char text[BASE64_KEY_SIZE];

	base64_encode_key(text, key);
	fprintf(out, "%s = %s\n", name, text);
	explicit_bzero(text, sizeof(text));
}

static void conf_write_peer(FILE *out, const struct model_peer *peer)
{
	const struct model_allowedip *aip;
	char text[MODEL_ENDPOINT_TEXT], ip[MODEL_ALLOWEDIP_TEXT];

	fputs("\n[Peer]\n", out);
	conf_write_key(out, "PublicKey", peer->public_key);
	if (!key_is_zero(peer->preshared_key))
		conf_write_key(out, "PresharedKey", peer->preshared_key);
	if (peer->first)
		fputs("AllowedIPs = ", out);
	for (aip = peer->first; aip; aip = aip->next) {
		model_allowedip_addr(ip, aip);
		fprintf(out, "%s/%u%s", ip, aip->cidr, aip->next ? ", " : "\n");
	}
	if (model_endpoint_text(text, &peer->endpoint))
		fprintf(out, "Endpoint = %s\n", text);
	if (peer->keepalive)
		fprintf(out, "PersistentKeepalive = %u\n", peer->keepalive);
}

void conf_write(struct ctx *ctx, const struct model_device *dev)
{
	const struct model_peer *peer;

	fputs("[Interface]\n", ctx->out);
	if (dev->listen_port)
		fprintf(ctx->out, "ListenPort = %u\n", dev->listen_port);
	if (dev->fwmark)
		fprintf(ctx->out, "FwMark = 0x%" PRIx32 "\n", dev->fwmark);
	if (!key_is_zero(dev->private_key))
		conf_write_key(ctx->out, "PrivateKey", dev->private_key);
	for (peer = dev->first; peer; peer = peer->next)
		conf_write_peer(ctx->out, peer);
	/* Stock ends the file so when there is no peer. */
	if (!dev->first)
		fputc('\n', ctx->out);
}
