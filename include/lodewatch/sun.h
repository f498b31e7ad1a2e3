/* Where the sun stands: for loads that burn in the dark. Its low-precision position
 * (U.S. Naval Observatory and H.M. Nautical Almanac Office, The Astronomical Almanac,
 * section C, "low precision formulas for the Sun"): 0.01 degree from 1950 to 2050. */
#ifndef LODEWATCH_SUN_H
#define LODEWATCH_SUN_H

#include <stdint.h>

#include <lodewatch/time.h>

/* For how long it is down in a day, as it stands at t and a latitude in millionths of a
 * degree, north positive: 0 to 24 hours. Down: its upper edge, lifted by the air's
 * refraction, is below the horizon (the centre 50' below it, as almanacs have sunset). */
int64_t lw_sun_night_ms(int32_t lat_udeg, lw_wall t);

#endif
