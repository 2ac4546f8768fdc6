#define GREETING "hello"

void greet(const char *name);
