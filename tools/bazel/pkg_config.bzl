"""Libraries of this machine, with the flags that pkg-config(1) has for them."""

def _ask(repository_ctx, question, packages):
    result = repository_ctx.execute(["pkg-config", question] + packages)
    if result.return_code != 0:
        fail("pkg-config does not know %s; run scripts/setup: %s" %
             (" ".join(packages), result.stderr))
    return [flag for flag in result.stdout.strip().split(" ") if flag]

def _library(repository_ctx, name, packages):
    defines = []
    includes = []
    for flag in _ask(repository_ctx, "--cflags", packages):
        if flag.startswith("-D"):
            defines.append(flag[2:])
        elif flag.startswith("-I"):
            # A directory outside the workspace cannot be named, but be linked to.
            directory = "include/%s/%d" % (name, len(includes))
            repository_ctx.symlink(flag[2:], directory)
            includes.append(directory)
        elif flag != "-pthread":  # part of the C library
            # buildifier: disable=print
            print("%s: %s is not passed on" % (name, flag))
    return "\n".join([
        "cc_library(",
        "    name = \"%s\"," % name,
        "    hdrs = glob(%s, allow_empty = True)," % repr([directory + "/**/*.h" for directory in includes]),
        "    defines = %s," % repr(defines),
        "    includes = %s," % repr(includes),
        "    linkopts = %s," % repr(_ask(repository_ctx, "--libs", packages)),
        ")",
        "",
    ])

def _pkg_config_libraries(repository_ctx):
    text = "package(default_visibility = [\"//visibility:public\"])\n"
    for name, packages in repository_ctx.attr.libraries.items():
        text += "\n" + _library(repository_ctx, name, packages)
    repository_ctx.file("BUILD.bazel", text)

# A repository with one cc_library for each name. Asked again when Bazel starts: a library may be a newer one then.
pkg_config_libraries = repository_rule(
    implementation = _pkg_config_libraries,
    attrs = {"libraries": attr.string_list_dict(doc = "Names of libraries, and pkg-config's of each.")},
    configure = True,
    local = True,
)
