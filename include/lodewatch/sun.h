/* Where the sun stands: for loads that burn in the dark. Its low-precision position
 * (U.S. Naval Observatory and H.M. Nautical Almanac Office, The Astronomical Almanac,
 * section C, "low precision formulas for the Sun"): 0.01 degree from 1950 to 2050. */
#ifndef LODEWATCH_SUN_H
#define LODEWATCH_SUN_H

#include <stdbool.h>
#include <stdint.h>

#include <lodewatch/time.h>

/* The sine of the height of the sun's centre above the horizon, without refraction, at a
 * place in millionths of a degree, north and east positive. The same on every machine:
 * it is computed without libm. */
double lw_sun_height(int32_t lat_udeg, int32_t lon_udeg, lw_wall t);

/* Whether the sun is down: its upper edge, lifted by the air's refraction, is below the
 * horizon (the centre 50' below it, as almanacs define sunrise and sunset). */
bool lw_sun_is_down(int32_t lat_udeg, int32_t lon_udeg, lw_wall t);

/* For how long it is down in a day, as it stands at t: 0 to 24 hours. */
int64_t lw_sun_night_ms(int32_t lat_udeg, lw_wall t);

#endif
