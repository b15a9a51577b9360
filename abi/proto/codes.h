/* abi/proto/codes.h - the numbers of all protocols' CALL codes. */
#pragma once

enum code {
#define CODE(number, name, in, out, word, text) name = number,
#include "abi/proto/task.def"
#include "abi/proto/kernel.def"
#include "abi/proto/file.def"
#include "abi/proto/tty.def"
#include "abi/proto/posix.def"
#include "abi/proto/init.def"
#include "abi/proto/ring.def"
#include "abi/proto/unix.def"
#include "abi/proto/device.def"
#include "abi/proto/dma.def"
#include "abi/proto/attach.def"
#include "abi/proto/disk.def"
#include "abi/proto/display.def"
#include "abi/proto/input.def"
#include "abi/proto/ethernet.def"
#include "abi/proto/power.def"
#include "abi/proto/audio.def"
#undef CODE
};
