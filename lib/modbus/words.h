/* Modbus' 16 bits: the high byte first. */
#ifndef LIB_MODBUS_WORDS_H
#define LIB_MODBUS_WORDS_H

#include <stddef.h>
#include <stdint.h>

static inline void
put16(uint8_t *p, size_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline uint16_t
get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

#endif
