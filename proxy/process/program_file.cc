#include "proxy/process/program_file.h"

#include <elf.h>
#include <link.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <span>
#include <system_error>
#include <utility>

namespace proxymux::proxy {
namespace {

constexpr std::size_t kNoteAlignment = 4;

std::size_t Padded(std::size_t size) {
  return (size + kNoteAlignment - 1) / kNoteAlignment * kNoteAlignment;
}

std::string Hexadecimal(std::span<const unsigned char> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 0xf];
  }
  return text;
}

// The notes of one segment, one after the other (elf(5), "Notes").
std::string BuildIdIn(std::span<const unsigned char> notes) {
  while (notes.size() >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    std::memcpy(&note, notes.data(), sizeof(note));
    const std::size_t name = sizeof(note);
    const std::size_t content = name + Padded(note.n_namesz);
    if (content + note.n_descsz > notes.size()) break;
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof(ELF_NOTE_GNU) &&
        std::memcmp(notes.data() + name, ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU)) == 0) {
      return Hexadecimal(notes.subspan(content, note.n_descsz));
    }
    const std::size_t next = content + Padded(note.n_descsz);
    if (next > notes.size()) break;
    notes = notes.subspan(next);
  }
  return "";
}

// Called for the program first, then for each library: dl_iterate_phdr(3).
int FindBuildId(dl_phdr_info* info, std::size_t, void* build_id) {
  for (const ElfW(Phdr) & segment : std::span(info->dlpi_phdr, info->dlpi_phnum)) {
    if (segment.p_type != PT_NOTE) continue;
    const auto* const begin =
        reinterpret_cast<const unsigned char*>(info->dlpi_addr + segment.p_vaddr);
    std::string found = BuildIdIn({begin, segment.p_memsz});
    if (found.empty()) continue;
    *static_cast<std::string*>(build_id) = std::move(found);
    break;
  }
  return 1;  // the program alone
}

}  // namespace

std::string BuildId() {
  std::string build_id;
  dl_iterate_phdr(&FindBuildId, &build_id);
  return build_id;
}

ProgramFile::ProgramFile(std::string path) : ProgramFile(path, path.c_str()) {}

ProgramFile ProgramFile::Running() {
  constexpr char kRunning[] = "/proc/self/exe";
  constexpr std::string_view kDeleted = " (deleted)";
  std::error_code error;
  std::string path = std::filesystem::read_symlink(kRunning, error).string();
  if (path.ends_with(kDeleted)) path.resize(path.size() - kDeleted.size());
  return {std::move(path), kRunning};
}

// `now`: by which name the file is found at this moment.
ProgramFile::ProgramFile(std::string path, const char* now) : path_(std::move(path)) {
  struct stat file;
  known_ = !path_.empty() && ::stat(now, &file) == 0;
  if (!known_) return;
  device_ = file.st_dev;
  inode_ = file.st_ino;
}

ProgramFile::OnDisk ProgramFile::Now() const {
  struct stat file;
  if (!known_) return OnDisk::kSame;
  if (::stat(path_.c_str(), &file) != 0) return errno == ENOENT ? OnDisk::kGone : OnDisk::kSame;
  return file.st_dev == device_ && file.st_ino == inode_ ? OnDisk::kSame : OnDisk::kReplaced;
}

std::string_view OnDiskName(ProgramFile::OnDisk state) {
  switch (state) {
    case ProgramFile::OnDisk::kSame:
      return "same";
    case ProgramFile::OnDisk::kReplaced:
      return "replaced";
    case ProgramFile::OnDisk::kGone:
      return "gone";
  }
  return "";
}

}  // namespace proxymux::proxy
