#include "tests/differential/keys.h"

#include <array>
#include <cstdio>
#include <utility>

#include "tests/differential/schema_keys.h"

namespace proxymux::differential {
namespace {

std::string Repeated(std::string_view what, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += what;
  return text;
}

// Hex escapes stand alone in their literals, as they swallow every hex digit that follows.
std::vector<NamedKey> WrittenKeys() {
  return {
      // Shapes of addresses that Postfix itself asks for.
      {"miss", "nobody@nowhere.example"},
      {"miss-user", "nobody"},
      {"miss-domain", "nowhere.example"},
      {"at-domain", "@example1.com"},
      {"at-domain-miss", "@nowhere.example"},
      {"user-at", "user1@"},
      {"at", "@"},
      {"two-ats", "@@"},
      {"three-ats", "@@@"},
      {"quoted-at", "\"user@1\"@example1.com"},
      {"ats-inside", "user1@example1.com@example2.com"},
      {"at-at-between", "user1@@example1.com"},
      {"at-user-at", "@user1@example1.com"},
      {"at-end", "user1@example1.com@"},
      {"plus", "user1+spam@example1.com"},
      {"plus-twice", "user1+a+b@example1.com"},
      {"plus-empty", "user1+@example1.com"},
      {"plus-only", "+@example1.com"},
      {"plus-lead", "+user1@example1.com"},
      {"plus-none", "user1+spam"},
      {"minus-extension", "user1-list@example1.com"},
      {"owner", "owner-list@example1.com"},
      {"request", "list-request@example1.com"},
      {"owner-request", "owner-list-request@example1.com"},
      {"owner-only", "owner-"},
      {"request-only", "-request"},
      {"double-bounce", "double-bounce@example1.com"},
      {"null-sender", "<>"},
      {"angle", "<user1@example1.com>"},
      {"comment-address", "user1(comment)@example1.com"},
      {"bang-path", "example1.com!user1"},
      {"percent-hack", "user1%example2.com@example1.com"},
      {"source-route", "@relay.example,@hub.example:user1@example1.com"},
      {"literal-domain", "user1@[192.0.2.1]"},
      {"literal-domain-6", "user1@[IPv6:2001:db8::1]"},
      {"verp", "list+user1=example2.com@example1.com"},
      {"srs", "SRS0=HHH=TT=example2.com=user1@example1.com"},
      {"upper-miss", "NOBODY@NOWHERE.EXAMPLE"},
      {"transport", "smtp:[example1.com]:25"},
      {"colon", "user1:example1.com"},
      {"path", "/var/mail/user1"},
      {"path-up", "../../etc/passwd"},

      // Labels: dots where none is expected.
      {"dot", "."},
      {"dots", "..."},
      {"dot-lead", ".example1.com"},
      {"dot-end", "example1.com."},
      {"dot-domain-end", "user1@example1.com."},
      {"dot-domain-lead", "user1@.example1.com"},
      {"dots-inside", "user1@.a..b."},
      {"dots-only-domain", "user1@..."},
      {"dot-domain", "user1@."},
      {"label-1", "user1@com"},
      {"label-3", "user1@mail.example1.com"},
      {"label-9", "u@1.2.3.4.5.6.7.8.9"},
      {"label-12", "u@l.k.j.i.h.g.f.e.d.c.b.a"},
      {"label-9-none", "1.2.3.4.5.6.7.8.9"},
      {"dot-user", ".user1.@example1.com"},

      // What could be taken for SQL.
      {"apostrophe", "'"},
      {"apostrophes", "''"},
      {"apostrophes-3", "'''"},
      {"apostrophe-lead", "'user1@example1.com"},
      {"apostrophe-end", "user1@example1.com'"},
      {"apostrophe-miss", "o'nobody@example1.com"},
      {"quote", "\""},
      {"quotes", "\"\""},
      {"quote-user", "\"user 1\"@example1.com"},
      {"quote-open", "user\"1@example1.com"},
      {"backtick", "`user1`@example1.com"},
      {"backslash", "\\"},
      {"backslashes", "\\\\"},
      {"backslash-end", "user1@example1.com\\"},
      {"backslash-user-end", "user1\\@example1.com"},
      {"backslash-inside", "us\\er1@example1.com"},
      {"backslash-n", "user1\\n@example1.com"},
      {"backslash-x", "\\x41@example1.com"},
      {"backslash-u", "\\0041@example1.com"},
      {"backslash-u4", "\\u0041@example1.com"},
      {"backslash-octal", "\\101@example1.com"},
      {"backslash-apostrophe", "\\'"},
      {"backslash-apostrophe-or", "\\' OR 1=1 -- "},
      {"backslash-quote", "\\\"user1\\\"@example1.com"},
      {"backslash-percent", "\\%@example1.com"},
      {"domain-backslash", "DOMAIN\\user1"},
      {"inject-or", "' OR '1'='1"},
      {"inject-drop", "'; DROP TABLE alias; --"},
      {"inject-union", "x' UNION SELECT 'y"},
      {"inject-dollar", "$$; SELECT 1; $$"},
      {"inject-tag", "$tag$ || 'x' || $tag$"},
      {"inject-comment-end", "*/ 'x' /*"},
      {"inject-concat", "'||'user1@example1.com'||'"},
      {"percent", "%"},
      {"percents", "%%"},
      {"percent-s", "%s"},
      {"percent-d", "%d@%u"},
      {"percent-1", "user1@%1.com"},
      {"percent-n", "%n%n%n"},
      {"percent-end", "user1@example1.com%"},
      {"percent-like", "user1%"},
      {"percent-like-domain", "%@example1.com"},
      {"underscore", "_"},
      {"underscore-like", "user_@example1.com"},
      {"dollar", "$"},
      {"dollar-1", "$1"},
      {"dollar-2", "$1$2"},
      {"dollars", "$$"},
      {"dollar-tag", "$tag$"},
      {"dollar-brace", "${user}@$(domain)"},
      {"semicolon", ";"},
      {"semicolon-end", "user1@example1.com;"},
      {"dashes", "--"},
      {"dashes-1", "--1"},
      {"dashes-inside", "user1--x@example1.com"},
      {"comment", "/*"},
      {"comment-whole", "/* user1@example1.com */"},
      {"comment-end", "*/"},
      {"parenthesis", ")"},
      {"parentheses", "()"},
      {"brackets", "[]"},
      {"array", "{user1@example1.com,user2@example2.com}"},
      {"array-open", "{"},
      {"array-quoted", "{\"a,b\",NULL,'x'}"},
      {"record", "(1,user1)"},
      {"json", "{\"user\": \"user1\", \"n\": 1}"},
      {"json-string", "\"user1\""},
      {"json-array", "[1, 2, 3]"},
      {"json-broken", "{\"user\": "},
      {"regex-any", ".*"},
      {"regex-anchors", "^user1@"},
      {"regex-broken", "user[1@example1.com"},
      {"regex-group", "(user|box)1"},
      {"question", "user?@example1.com"},
      {"star", "*"},
      {"star-domain", "*@example1.com"},
      {"ampersand", "user&1@example1.com"},
      {"pipe", "user1|user2"},
      {"comma", "user1@example1.com,user2@example2.com"},
      {"comma-lead", ",user1"},
      {"equals", "user=1"},
      {"hash", "#user1@example1.com"},
      {"exclamation", "!user1"},
      {"tilde", "~user1"},
      {"null-word", "NULL"},
      {"null-lower", "null"},
      {"default-word", "DEFAULT"},
      {"select-word", "select"},

      // What could be taken for a value of another type.
      {"zero", "0"},
      {"one", "1"},
      {"seven", "7"},
      {"forty-two", "42"},
      {"number-100", "100"},
      {"number-zeros", "007"},
      {"number-plus", "+7"},
      {"number-negative", "-5"},
      {"number-fraction", "1.5"},
      {"number-half", ".5"},
      {"number-trailing", "5."},
      {"number-exponent", "1e3"},
      {"number-hex", "0x1F"},
      {"number-separators", "1_000"},
      {"number-int-max", "2147483647"},
      {"number-int-over", "2147483648"},
      {"number-bigint-max", "9223372036854775807"},
      {"number-bigint-over", "9223372036854775808"},
      {"number-huge", Repeated("1234567890", 13)},
      {"number-blank", " 7 "},
      {"number-tab", "7\t"},
      {"number-at", "7@example1.com"},
      {"number-domain", "user1@7"},
      {"number-dash", "7-1"},
      {"number-comment", "7--1"},
      {"number-or", "1 or 1=1"},
      {"nan", "NaN"},
      {"infinity", "-Infinity"},
      {"true", "true"},
      {"false-letter", "f"},
      {"yes", "Yes"},
      {"ip4", "192.0.2.1"},
      {"ip4-ten", "10.0.0.1"},
      {"ip4-net", "10.0.0.0/8"},
      {"ip4-prefix", "192.0.2"},
      {"ip4-broken", "192.0.2.256"},
      {"ip4-zeros", "192.000.002.001"},
      {"ip6-upper", "2001:DB8::1"},
      {"ip6-long", "2001:0db8:0000:0000:0000:0000:0000:0001"},
      {"ip6-net", "2001:db8::/32"},
      {"ip6-any", "::"},
      {"ip6-mapped", "::ffff:192.0.2.1"},
      {"ip6-brackets", "[2001:db8::1]"},
      {"uuid", "00000000-0000-4000-8000-000000000001"},
      {"uuid-upper", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"},
      {"uuid-braces", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}"},
      {"date", "2024-02-29"},
      {"date-broken", "2023-02-29"},
      {"date-now", "now"},
      {"timestamp", "2024-02-29 12:34:56+02"},
      {"interval", "1 day"},
      {"bytea", "\\x6e6f"},
      {"bits", "101"},

      // White space and control bytes that a line of text cannot hold, or trims.
      {"blank", " "},
      {"blanks", "   "},
      {"blank-lead", " user1@example1.com"},
      {"blank-end", "user1@example1.com "},
      {"blank-both", " user1@example1.com "},
      {"blank-inside", "user 1@example1.com"},
      {"blank-around-at", "user1 @ example1.com"},
      {"tab-inside", "user1\t@example1.com"},
      {"newline", "\n"},
      {"newline-inside", "user1\n@example1.com"},
      {"newline-end", "user1@example1.com\n"},
      {"newline-lead", "\nuser1@example1.com"},
      {"return-newline", "user1@example1.com\r\n"},
      {"return-inside", "user1\r@example1.com"},
      {"dash", "-"},
      {"dash-lead", "-q"},
      {"nul-look", "\\0"},

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

std::vector<NamedKey> AllKeys() {
  std::vector<NamedKey> keys = SchemaKeys();
  for (NamedKey& key : WrittenKeys()) keys.push_back(std::move(key));
  for (int byte = 1; byte < 32; ++byte) {
    std::string text = "user1@example1.com";
    // At every third place, so that the start, the inside and the end all occur.
    text.insert(static_cast<std::size_t>(byte % 3) * text.size() / 2, 1, static_cast<char>(byte));
    keys.push_back({"control-" + std::to_string(byte), text});
  }
  keys.push_back({"control-127", "user1\x7f@example1.com"});
  keys.push_back({"length-1", "x"});
  keys.push_back({"length-63", Repeated("a", 63)});
  keys.push_back({"length-64-user", Repeated("a", 64) + "@example1.com"});
  keys.push_back({"length-255", "user1@" + Repeated("example1.", 27) + "example"});
  keys.push_back({"length-1000", Repeated("x'\\", 330) + "@example1.com"});
  keys.push_back({"length-2000-ats", Repeated("@", 2000)});
  keys.push_back({"length-2000-utf8", Repeated("é", 994) + "@example1.com"});
  keys.push_back({"length-3000-labels", "u@" + Repeated("a.", 1500)});
  keys.push_back({"length-4095", Repeated("y", 4082) + "@example1.com"});
  keys.push_back({"length-8000", Repeated("user1.", 1331) + "@example1.com"});
  keys.push_back({"length-8000-apostrophes", Repeated("'", 8000)});
  return keys;
}

}  // namespace

const std::vector<NamedKey>& FixedKeys() {
  static const std::vector<NamedKey> keys = AllKeys();
  return keys;
}

std::string EscapedKey(std::string_view key) {
  std::string text;
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\'' || c == '\\') {
      text += '\\';
      text += c;
    } else if (byte >= 0x20 && byte < 0x7f) {
      text += c;
    } else {
      std::array<char, 5> hex;
      std::snprintf(hex.data(), hex.size(), "\\x%02x", static_cast<unsigned>(byte));
      text += hex.data();
    }
  }
  return text;
}

}  // namespace proxymux::differential
