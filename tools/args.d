args.o: args.c args.h ctx.h model.h wireguard_uapi.h parse.h resolve.h
args.h:
ctx.h:
model.h:
wireguard_uapi.h:
parse.h:
resolve.h:
