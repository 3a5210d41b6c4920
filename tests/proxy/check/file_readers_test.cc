// Who can read files, asked of the kernel.
#include "proxy/check/file_readers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "tests/harness/temp_directory.h"

namespace proxymux::proxy {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Kind = ServiceFile::Kind;

class FileReaders : public testing::Test {
 protected:
  std::string Said(const ServiceFile& file) {
    const auto owner = FindAccount("postfix");
    Findings findings;
    CheckReaders({file}, std::get<Account>(owner), &findings);
    return findings.Text();
  }
  static ServiceFile Settings(const std::string& path, bool secret = false) {
    return {Kind::kSettings, path, secret, "", 0, false};
  }
  std::string File(int mode) {
    const std::string path = directory_ / "file";
    harness::WriteFile(path, "text");
    ::chmod(path.c_str(), static_cast<mode_t>(mode));
    return path;
  }
  ServiceFile Named(Kind kind, const std::string& path, bool verifies = true) {
    return {kind, path, false, "t.cf", 3, verifies};
  }
  void SetUp() override { ::chmod((directory_ / "").c_str(), 0755); }

  harness::TempDirectory directory_;
};

TEST_F(FileReaders, SettingsAreReadAgain) {
  EXPECT_EQ(Said(Settings(File(0644))), "");
  EXPECT_THAT(Said(Settings(File(0600))),
              AllOf(HasSubstr("warning: postfix cannot read it"), HasSubstr("chmod 640")));
  EXPECT_EQ(Said(Settings(directory_ / "nothing")), "") << "told by whoever reads it";
}

TEST_F(FileReaders, APasswordIsForFew) {
  EXPECT_THAT(Said(Settings(File(0644), true)),
              HasSubstr("warning: everybody on this machine can read it"));
  const std::string file = File(0644);
  ::chmod((directory_ / "").c_str(), 0750);
  EXPECT_EQ(Said(Settings(file, true)).find("everybody"), std::string::npos)
      << "nobody else gets there";
}

// Postfix's commands read it with the rights of whoever calls them.
TEST_F(FileReaders, MainCfStaysReadable) {
  const ServiceFile main_cf = {Kind::kMainCf, File(0644), true, "", 0, false};
  EXPECT_THAT(Said(main_cf), AllOf(HasSubstr("holds a password"), HasSubstr("a file of its own"),
                                   Not(HasSubstr("chgrp"))));
  ::chmod(main_cf.path.c_str(), 0600);
  EXPECT_THAT(Said(main_cf), AllOf(HasSubstr("cannot read it"), HasSubstr("chmod 644")));
}

TEST_F(FileReaders, SettingsAreForRootToChange) {
  const std::string file = File(0664);
  EXPECT_EQ(Said(Settings(file)), "") << "of root's own group";
  const auto owner = std::get<Account>(FindAccount("postfix"));
  ASSERT_EQ(::chown(file.c_str(), 0, owner.gid), 0);
  EXPECT_EQ(Said(Settings(file)),
            file + ": warning: group postfix can change it; chown root, chmod go-w\n");
  ASSERT_EQ(::chown(file.c_str(), owner.uid, 0), 0);
  EXPECT_THAT(Said(Settings(file)), HasSubstr("user postfix can change it"));
  EXPECT_THAT(Said(Settings(File(0646))), HasSubstr("everybody can change it"));
}

TEST_F(FileReaders, DirectoriesOfSettingsAreForRootToChange) {
  const std::string file = File(0644);
  const std::string& directory = directory_.path();
  ::chmod(directory.c_str(), 0777);
  EXPECT_EQ(Said(Settings(file)), directory +
                                      ": warning: everybody can put another file in the place of " +
                                      file + "; chown root, chmod go-w\n");
  ::chmod(directory.c_str(), 01777);
  EXPECT_EQ(Said(Settings(file)), "") << "as /tmp is";
  const auto owner = std::get<Account>(FindAccount("postfix"));
  ASSERT_EQ(::chown(directory.c_str(), owner.uid, owner.gid), 0);
  EXPECT_THAT(Said(Settings(file)), HasSubstr("user postfix can put another file"));
}

TEST_F(FileReaders, CertificatesAreNeeded) {
  EXPECT_EQ(Said(Named(Kind::kRootCert, File(0644))), "");
  EXPECT_THAT(Said(Named(Kind::kRootCert, directory_ / "nothing")),
              HasSubstr("t.cf:3: error: sslrootcert "));
  EXPECT_THAT(Said(Named(Kind::kRootCert, directory_ / "nothing", false)),
              AllOf(HasSubstr("t.cf:3: warning: "), HasSubstr("not looked at")));
  EXPECT_THAT(Said(Named(Kind::kCertificate, directory_ / "nothing")),
              AllOf(HasSubstr("t.cf:3: warning: sslcert "), HasSubstr("no client certificate")));
  EXPECT_THAT(Said(Named(Kind::kCertificate, File(0600))),
              AllOf(HasSubstr("error: sslcert "), HasSubstr("postfix cannot read it")));
}

TEST_F(FileReaders, KeysAreForOne) {
  EXPECT_THAT(Said(Named(Kind::kKey, File(0644))), HasSubstr("libpq refuses a key"));
  const auto owner = std::get<Account>(FindAccount("postfix"));
  const std::string path = File(0640);
  ASSERT_EQ(::chown(path.c_str(), 0, owner.gid), 0);
  EXPECT_EQ(Said(Named(Kind::kKey, path)), "") << "root's may be of a group";
  ASSERT_EQ(::chown(path.c_str(), owner.uid, owner.gid), 0);
  EXPECT_THAT(Said(Named(Kind::kKey, path)), HasSubstr("chmod 600"));
}

}  // namespace
}  // namespace proxymux::proxy
