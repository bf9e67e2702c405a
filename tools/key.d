key.o: key.c verbs.h ctx.h base64.h wireguard_uapi.h curve25519.h parse.h \
 model.h
verbs.h:
ctx.h:
base64.h:
wireguard_uapi.h:
curve25519.h:
parse.h:
model.h:
