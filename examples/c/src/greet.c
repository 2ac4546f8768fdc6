#include <stdio.h>

#include "greet.h"

void greet(const char *name)
{
	printf(GREETING ", %s\n", name);
}
