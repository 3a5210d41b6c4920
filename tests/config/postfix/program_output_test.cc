#include "config/postfix/program_output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <string>

namespace proxymux::config {
namespace {

using std::chrono::milliseconds;

ProgramRun Shell(const std::string& script) {
  ProgramRun run;
  run.arguments = {"/bin/sh", "-c", script};
  return run;
}

TEST(ProgramOutput, BothStreamsAreCollected) {
  const ProgramOutput output = RunProgram(Shell("echo out; echo err >&2"));
  EXPECT_EQ(output.out, "out\n");
  EXPECT_EQ(output.err, "err\n");
  EXPECT_EQ(output.failure, "");
}

TEST(ProgramOutput, AnExitStatusOrSignalIsAFailureThatKeepsTheOutput) {
  const ProgramOutput exited = RunProgram(Shell("echo x; exit 3"));
  EXPECT_EQ(exited.failure, "exited with status 3");
  EXPECT_EQ(exited.out, "x\n");
  EXPECT_EQ(RunProgram(Shell("kill -TERM $$")).failure, "ended by signal 15");
}

TEST(ProgramOutput, AMissingProgramIsAFailure) {
  ProgramRun run;
  run.arguments = {"/nonexistent/postconf"};
  EXPECT_EQ(RunProgram(run).failure, "cannot be run: No such file or directory");
  EXPECT_NE(RunProgram(ProgramRun()).failure, "");
}

TEST(ProgramOutput, OneThatHangsIsKilledWithItsChildren) {
  ProgramRun run = Shell("sleep 1000 & echo started; wait");
  run.time_limit = milliseconds(300);
  const auto begin = std::chrono::steady_clock::now();
  const ProgramOutput output = RunProgram(run);
  EXPECT_EQ(output.failure, "took longer than 300 ms");
  EXPECT_EQ(output.out, "started\n");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

TEST(ProgramOutput, OneThatClosesItsOutputAndHangsIsKilledToo) {
  ProgramRun run = Shell("exec >/dev/null 2>&1; exec sleep 1000");
  run.time_limit = milliseconds(300);
  EXPECT_EQ(RunProgram(run).failure, "did not exit in time");
}

TEST(ProgramOutput, WhatItLeavesBehindIsNotWaitedFor) {
  ProgramRun run;
  run.arguments = {"/bin/sh", "-c", "sleep 1000 & echo $!; echo done >&2"};
  run.time_limit = std::chrono::hours(1);
  run.leaves_others = true;
  const ProgramOutput output = RunProgram(run);
  EXPECT_EQ(output.failure, "");
  EXPECT_EQ(output.err, "done\n");
  const pid_t left = std::stoi(output.out);
  EXPECT_EQ(kill(left, SIGKILL), 0) << "it was waited for";
}

TEST(ProgramOutput, OutputIsBounded) {
  ProgramRun run = Shell("exec cat /dev/zero");
  run.max_output = 100000;
  const ProgramOutput output = RunProgram(run);
  EXPECT_EQ(output.failure, "wrote more than 100000 bytes");
  EXPECT_LT(output.out.size(), 200000u);
}

TEST(ProgramOutput, MuchOnBothStreamsDoesNotLock) {
  const ProgramOutput output = RunProgram(
      Shell("i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789; echo "
            "0123456789012345678901234567890123456789 >&2; i=$((i+1)); done"));
  EXPECT_EQ(output.failure, "");
  EXPECT_EQ(output.out.size(), 3000u * 41);
  EXPECT_EQ(output.err.size(), 3000u * 41);
}

TEST(ProgramOutput, ItReadsWhatItIsGiven) {
  ProgramRun run = Shell("exec cat");
  EXPECT_EQ(RunProgram(run).out, "");
  run.input = std::string(1 << 20, 'x') + "\nend";
  EXPECT_EQ(RunProgram(run).out, run.input);
  run.arguments = {"/bin/true"};
  EXPECT_EQ(RunProgram(run).failure, "") << "whether it reads that or not";
}

TEST(ProgramOutput, OnlyTheGivenEnvironmentAndNoDescriptorsArePassedOn) {
  ASSERT_EQ(setenv("PGPASSWORD", "secret", 1), 0);
  const int fd = open("/dev/null", O_RDONLY);
  ASSERT_GE(fd, 3);
  ProgramRun run = Shell("echo \"$A:$PGPASSWORD\"; ls /proc/self/fd | wc -l; read x || echo eof");
  run.environment = {"A=b", "PATH=/usr/bin:/bin"};
  // 0, 1, 2 and the directory that ls reads.
  EXPECT_EQ(RunProgram(run).out, "b:\n4\neof\n");
  close(fd);
}

}  // namespace
}  // namespace proxymux::config
