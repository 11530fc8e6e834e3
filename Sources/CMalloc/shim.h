#ifndef CMALLOC_SHIM_H
#define CMALLOC_SHIM_H

// Of the C library, but not in Swift's module for it.
#include <malloc.h>

#endif
