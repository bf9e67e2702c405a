conf.o: conf.c conf.h ctx.h model.h wireguard_uapi.h base64.h parse.h \
 resolve.h
conf.h:
ctx.h:
model.h:
wireguard_uapi.h:
base64.h:
parse.h:
resolve.h:
