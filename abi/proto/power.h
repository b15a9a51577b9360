/* abi/proto/power.h - the text of power: (power.def).
 *
 *	ac NAME online=0|1
 *	battery NAME state=charging|discharging|full|idle left=PERCENT rate=MILLIWATTS remaining=MILLIWATTHOURS (or mA and mAh: unit=mA)
 *	thermal NAME celsius=DEGREES.TENTH critical=DEGREES.TENTH
 *	button power|sleep presses=N
 *	lid NAME open=0|1
 *	clock timer=acpi error_ppm=N measured_ms=N              the system's clock against the firmware's timer
 */
#pragma once
#include "abi/proto/codes.h"
#include "abi/proto/init.h"

enum { POWER_TEXT_MAX = 8192 };
