#include "tests/differential/encoding_keys.h"

namespace proxymux::differential {

// Hex escapes stand alone in their literals, as they swallow every hex digit that follows.
std::vector<NamedKey> EncodingKeys() {
  return {
      // UTF-8. Folding changes some of these, and some get longer or shorter by it.
      {"latin-decomposed", "ju\xcc\x88rgen@mu\xcc\x88ller.example"},
      {"sharp-s", "straße@groß.example"},
      {"sharp-s-upper", "STRAẞE@GROẞ.EXAMPLE"},
      {"sharp-s-folded", "strasse@gross.example"},
      {"greek", "ὀδυσσεύς@ἰθάκη.example"},
      {"greek-upper", "ΟΔΥΣΣΕΥΣ@ΙΘΑΚΗ.EXAMPLE"},
      {"greek-iota", "ᾳᾼ@ᾷ.example"},
      {"turkish-dotted", "İSTANBUL@example1.com"},
      {"turkish-dotless", "ısparta@example1.com"},
      {"turkish-user", "USER1İ@EXAMPLE1.COM"},
      {"kelvin", "\xe2\x84\xaa@example1.com"},
      {"long-s",
       "u\xc5\xbf"
       "er1@example1.com"},
      {"cyrillic", "иван@почта.example"},
      {"cyrillic-upper", "ИВАН@ПОЧТА.EXAMPLE"},
      {"cjk", "用户@例子.example"},
      {"cjk-full-stop", "用户@例子。公司"},
      {"cjk-full-width", "ｕｓｅｒ１＠ｅｘａｍｐｌｅ１．ｃｏｍ"},
      {"kana", "ユーザー@ドメイン.example"},
      {"hangul", "사용자@도메인.example"},
      {"arabic", "مستخدم@مثال.example"},
      {"hebrew", "משתמש@דוגמה.example"},
      {"devanagari", "उपयोगकर्ता@उदाहरण.example"},
      {"thai", "ผู้ใช้@ตัวอย่าง.example"},
      {"cherokee", "ᏣᎳᎩ@example1.com"},
      {"deseret", "\xf0\x90\x90\x80@example1.com"},
      {"ligature", "ﬁnance@oﬃce.example"},
      {"combining-marks", "u\xcc\x80\xcc\x81\xcc\x82\xcc\x83@example1.com"},
      {"combining-first", "\xcc\x81user1@example1.com"},
      {"emoji", "😀@example1.com"},
      {"emoji-joined", "👩‍👩‍👧‍👦@example1.com"},
      {"emoji-flag", "🇩🇪@🏳️‍🌈.example"},
      {"zero-width",
       "user\xe2\x80\x8b"
       "1@example1.com"},
      {"right-to-left", "\xe2\x80\xaeuser1@example1.com"},
      {"byte-order-mark", "\xef\xbb\xbfuser1@example1.com"},
      {"no-break-space",
       "user\xc2\xa0"
       "1@example1.com"},
      {"quote-typographic", "o’nobody@“example1”.com"},
      {"quote-full-width", "user＇1＼@example1.com"},
      {"line-separator", "user1\xe2\x80\xa8@example1.com"},
      {"next-line", "user1\xc2\x85@example1.com"},
      {"noncharacter", "\xef\xbf\xbf@example1.com"},
      {"replacement", "\xef\xbf\xbd@example1.com"},
      {"highest", "\xf4\x8f\xbf\xbf@example1.com"},

      // What is not UTF-8, all with a value in LATIN1.
      {"bad-lone-high", "\xfc"},
      {"bad-latin1", "j\xfcrgen@m\xfcller.example"},
      {"bad-lone-trail", "user\x80@example1.com"},
      {"bad-trail-run", "\x80\xbf\x80"},
      {"bad-overlong-apostrophe", "user1\xc0\xa7@example1.com"},
      {"bad-overlong-slash", "\xe0\x80\xaf@example1.com"},
      {"bad-overlong-nul", "user1\xc0\x80@example1.com"},
      {"bad-surrogate", "\xed\xa0\x80@example1.com"},
      {"bad-surrogate-pair", "\xed\xa0\xbd\xed\xb8\x80@example1.com"},
      {"bad-above-highest", "\xf4\x90\x80\x80@example1.com"},
      {"bad-five-bytes", "\xf8\x88\x80\x80\x80@example1.com"},
      {"bad-fe-ff", "\xfe\xff@example1.com"},
      {"bad-cut-2", "user1@example1.com\xc3"},
      {"bad-cut-3", "user1@example1.com\xe2\x82"},
      {"bad-cut-4", "user1@example1.com\xf0\x9f\x98"},
      {"bad-cut-apostrophe", "\xe2\x82'@example1.com"},
      {"bad-cut-backslash", "\xc3\\@example1.com"},
      {"bad-trail-backslash", "\x95\\' OR 1=1 --"},
      {"bad-domain", "user1@ex\xe4mple.com"},
  };
}

}  // namespace proxymux::differential
