/* lib/keymap/layouts.c - the layouts: a row of keys is a row of characters, blanks for keys without one. */
#include "lib/keymap/layouts.h"

/* Dead keys. */
#define GRAVE "\u0300"
#define ACUTE "\u0301"
#define CIRCUMFLEX "\u0302"
#define TILDE "\u0303"
#define DIAERESIS "\u0308"
#define RING "\u030a"
#define CEDILLA "\u0327"

const struct keymap keymaps[] = {
	{ "us", {
		{ U"`1234567890-=", U"~!@#$%^&*()_+" },
		{ U"qwertyuiop[]", U"QWERTYUIOP{}" },
		{ U"asdfghjkl;'\\", U"ASDFGHJKL:\"|" },
		{ U"<zxcvbnm,./", U">ZXCVBNM<>?" },
	} },
	{ "de", {
		{ U"" CIRCUMFLEX "1234567890ß" ACUTE, U"°!\"§$%&/()=?" GRAVE, U" ¹²³¼½¬{[]}\\" CEDILLA },
		{ U"qwertzuiopü+", U"QWERTZUIOPÜ*", U"@ł€¶ŧ←↓→øþ" DIAERESIS "~" },
		{ U"asdfghjklöä#", U"ASDFGHJKLÖÄ'", U"æſðđŋħ ĸł " CIRCUMFLEX "’" },
		{ U"<yxcvbnm,.-", U">YXCVBNM;:_", U"|»«¢„“”µ·…–" },
	} },
	{ "fr", {
		{ U"²&é\"'(-è_çà)=", U"³1234567890°+", U"¹ ~#{[|`\\^@]}" },
		{ U"azertyuiop" CIRCUMFLEX "$", U"AZERTYUIOP" DIAERESIS "£", U"æâ€êþÿûîœô" TILDE "ø" },
		{ U"qsdfghjklmù*", U"QSDFGHJKLM%µ", U"äß" },
		{ U"<wxcvbn,;:!", U">WXCVBN?./§", U"|" },
	} },
	{ "uk", {
		{ U"`1234567890-=", U"¬!\"£$%^&*()_+", U"¦   €" },
		{ U"qwertyuiop[]", U"QWERTYUIOP{}", U"  é   úíó" },
		{ U"asdfghjkl;'#", U"ASDFGHJKL:@~", U"á" },
		{ U"\\zxcvbnm,./", U"|ZXCVBNM<>?" },
	} },
	{ "es", {
		{ U"º1234567890'¡", U"ª!\"·$%&/()=?¿", U"\\|@#~€¬" },
		{ U"qwertyuiop" GRAVE "+", U"QWERTYUIOP" CIRCUMFLEX "*", U"  €       []" },
		{ U"asdfghjklñ" ACUTE "ç", U"ASDFGHJKLÑ" DIAERESIS "Ç", U"          {}" },
		{ U"<zxcvbnm,.-", U">ZXCVBNM;:_" },
	} },
	{ "dvorak", {
		{ U"`1234567890[]", U"~!@#$%^&*(){}" },
		{ U"',.pyfgcrl/=", U"\"<>PYFGCRL?+" },
		{ U"aoeuidhtns-\\", U"AOEUIDHTNS_|" },
		{ U"<;qjkxbmwvz", U">:QJKXBMWVZ" },
	} },
	{ 0 },
};

const struct keymap_dead keymap_deads[] = {
	{ 0x300, '`', U"aàeèiìoòuùnǹAÀEÈIÌOÒUÙNǸ" },
	{ 0x301, 0xb4, U"aáeéiíoóuúyýcćnńsśzźlĺrŕAÁEÉIÍOÓUÚYÝCĆNŃSŚZŹLĹRŔ" },
	{ 0x302, '^', U"aâeêiîoôuûcĉgĝhĥjĵsŝwŵyŷAÂEÊIÎOÔUÛCĈGĜHĤJĴSŜWŴYŶ" },
	{ 0x303, '~', U"aãnñoõiĩuũAÃNÑOÕIĨUŨ" },
	{ 0x308, 0xa8, U"aäeëiïoöuüyÿAÄEËIÏOÖUÜYŸ" },
	{ 0x30a, 0xb0, U"aåuůAÅUŮ" },
	{ 0x327, 0xb8, U"cçsştţkķlļnņrŗCÇSŞTŢKĶLĻNŅRŖ" },
	{ 0 },
};
