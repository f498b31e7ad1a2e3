/* How long the night is, from the date and the latitude. */
#include <lodewatch/sun.h>

#include <math.h>

#define PI      3.14159265358979323846
#define DEGREE  (PI / 180)
#define J2000   INT64_C(946728000000)   /* 2000-01-01T12:00:00Z, in ms */
#define HORIZON (-0.014543897651582654) /* sine of -50' */

/* Taylor's series to the 15th power: 1e-8 at the ends of -pi..pi, 0.0000006 degree.
 * libm's last digits differ between releases; these do not. */
static double
sine(double x)
{
    double x2, term, sum;

    x = fmod(x, 2 * PI);
    if (x > PI)
        x -= 2 * PI;
    else if (x < -PI)
        x += 2 * PI;
    if (x > PI / 2)
        x = PI - x;
    else if (x < -PI / 2)
        x = -PI - x;
    x2 = x * x;
    term = x;
    sum = x;
    for (int n = 2; n <= 14; n += 2) {
        term = -term * x2 / (n * (n + 1));
        sum += term;
    }
    return sum;
}

static double
cosine(double x)
{
    return sine(x + PI / 2);
}

/* Abramowitz and Stegun, Handbook of Mathematical Functions, 4.4.45: to 7e-5, 16 s of a
 * night. x in -1..1. */
static double
arc_cosine(double x)
{
    double y = fabs(x);
    double a =
        sqrt(1 - y) * (1.5707288 + y * (-0.2121144 + y * (0.0742610 - y * 0.0187293)));

    return x < 0 ? PI - a : a;
}

/* The sun's direction: towards the equinox, 90 degrees east of it, the north pole. */
struct direction {
    double x, y, z;
};

static double
days_at(lw_wall t)
{
    return (double)(t.ms - J2000) / (double)LW_DAY;
}

static struct direction
sun_at(double days)
{
    double mean_longitude = 280.460 + 0.9856474 * days;
    double anomaly = (357.528 + 0.9856003 * days) * DEGREE;
    double longitude =
        (mean_longitude + 1.915 * sine(anomaly) + 0.020 * sine(2 * anomaly)) * DEGREE;
    double tilt = (23.439 - 0.0000004 * days) * DEGREE;
    double east = sine(longitude);

    return (struct direction){cosine(longitude), cosine(tilt) * east, sine(tilt) * east};
}

int64_t
lw_sun_night_ms(int32_t lat_udeg, lw_wall t)
{
    struct direction sun = sun_at(days_at(t));
    double latitude = lat_udeg / 1e6 * DEGREE;
    double level = HORIZON - sine(latitude) * sun.z;
    double swing = cosine(latitude) * sqrt(1 - sun.z * sun.z);

    if (level >= swing)
        return LW_DAY;
    if (level <= -swing)
        return 0;
    return LW_DAY - (int64_t)(arc_cosine(level / swing) / PI * (double)LW_DAY);
}
