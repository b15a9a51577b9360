/* lib/tty/termios.h - flag bits and character indexes of struct tty_modes.
 *
 * Values as Linux x86_64 has them (asm-generic/termbits.h), so that a personality passes
 * termios through. Bits that are not named here are stored and have no effect.
 */
#pragma once

enum tty_input_flag {
	TTY_IGNBRK = 0x0001, TTY_BRKINT = 0x0002, TTY_IGNPAR = 0x0004, TTY_PARMRK = 0x0008,
	TTY_INPCK = 0x0010, TTY_ISTRIP = 0x0020, TTY_INLCR = 0x0040, TTY_IGNCR = 0x0080,
	TTY_ICRNL = 0x0100, TTY_IUCLC = 0x0200, TTY_IXON = 0x0400, TTY_IXANY = 0x0800,
	TTY_IXOFF = 0x1000, TTY_IMAXBEL = 0x2000, TTY_IUTF8 = 0x4000,
};

enum tty_output_flag {
	TTY_OPOST = 0x01, TTY_OLCUC = 0x02, TTY_ONLCR = 0x04, TTY_OCRNL = 0x08,
	TTY_ONOCR = 0x10, TTY_ONLRET = 0x20, TTY_TABDLY = 0x1800, TTY_XTABS = 0x1800,
};

enum tty_control_flag {
	TTY_B38400 = 0x0f, TTY_CBAUD = 0x100f, TTY_CS8 = 0x30, TTY_CREAD = 0x80, TTY_HUPCL = 0x400,
};

enum tty_local_flag {
	TTY_ISIG = 0x0001, TTY_ICANON = 0x0002, TTY_ECHO = 0x0008, TTY_ECHOE = 0x0010,
	TTY_ECHOK = 0x0020, TTY_ECHONL = 0x0040, TTY_NOFLSH = 0x0080, TTY_TOSTOP = 0x0100,
	TTY_ECHOCTL = 0x0200, TTY_ECHOKE = 0x0800, TTY_IEXTEN = 0x8000,
};

enum tty_char {
	TTY_VINTR = 0, TTY_VQUIT = 1, TTY_VERASE = 2, TTY_VKILL = 3, TTY_VEOF = 4, TTY_VTIME = 5,
	TTY_VMIN = 6, TTY_VSTART = 8, TTY_VSTOP = 9, TTY_VSUSP = 10, TTY_VEOL = 11,
	TTY_VREPRINT = 12, TTY_VWERASE = 14, TTY_VLNEXT = 15, TTY_VEOL2 = 16,
	TTY_CHAR_DISABLED = 0,
};

/* TTY_FLOW's word and TTY_FLUSH's. */
enum tty_flow { TTY_OUTPUT_OFF = 0, TTY_OUTPUT_ON = 1, TTY_INPUT_OFF = 2, TTY_INPUT_ON = 3 };
enum tty_flush { TTY_FLUSH_IN = 1, TTY_FLUSH_OUT = 2 };

/* First byte of what the master of a pty in packet mode reads. */
enum tty_packet {
	TTY_PACKET_DATA = 0, TTY_PACKET_FLUSH_READ = 1, TTY_PACKET_FLUSH_WRITE = 2,
	TTY_PACKET_STOP = 4, TTY_PACKET_START = 8, TTY_PACKET_NO_STOP = 16, TTY_PACKET_DO_STOP = 32,
};

/* Signals that terminals make, with Linux's numbers. */
enum tty_signal {
	TTY_SIGHUP = 1, TTY_SIGINT = 2, TTY_SIGQUIT = 3, TTY_SIGCONT = 18, TTY_SIGTSTP = 20,
	TTY_SIGWINCH = 28,
};
