term.o: term.c term.h
term.h:
