using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using Crashcart.Native.Syscalls;

namespace Crashcart.Native.Tests;

public sealed class ConstantsTests
{
    private const string Headers = """
        #define _GNU_SOURCE
        #include <sched.h>
        #include <spawn.h>
        #include <stddef.h>
        #include <stdio.h>
        #include <sys/file.h>
        #include <sys/syscall.h>
        #include <sys/timerfd.h>
        #include <sys/wait.h>
        #include <time.h>
        #include <linux/bpf.h>
        #include <linux/loop.h>
        #include <linux/magic.h>
        #include <linux/memfd.h>
        #include <linux/mount.h>
        #include <linux/sched.h>
        #include <linux/wait.h>
        """;

    // Members of an enum, which the preprocessor cannot see.
    private static readonly string[] EnumPrefixes = ["LO_FLAGS_", "BPF_PROG_", "BPF_CGROUP_", "FSCONFIG_", "P_PIDFD"];

    // Not in the exported headers: squashfs's own header has it; MFD_EXEC came with Linux 6.3.
    private static readonly string[] MayBeAbsent = ["MFD_EXEC", "SQUASHFS_MAGIC"];

    [Fact]
    public void Every_constant_has_the_value_of_the_C_headers()
    {
        Dictionary<string, long> ours = typeof(Constants).GetFields(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public)
            .Where(field => field.IsLiteral)
            .ToDictionary(field => field.Name, field => Convert.ToInt64(field.GetRawConstantValue(), CultureInfo.InvariantCulture));
        Dictionary<string, long> theirs = PrintFromHeaders(ours.Keys);
        Assert.Empty(ours.Keys.Except(theirs.Keys).Except(MayBeAbsent));
        foreach ((string name, long value) in theirs)
            Assert.Equal((name, value), (name, ours[name]));
    }

    [Fact]
    public void Structures_have_the_size_of_the_C_headers()
    {
        string printed = Compile("""
            printf("%zu %zu %zu ", sizeof(struct loop_info64), sizeof(struct loop_config), offsetof(struct loop_info64, lo_file_name));
            printf("%zu %zu", sizeof(struct itimerspec), offsetof(struct itimerspec, it_value));
            """);
        Assert.Equal(
            $"{Unsafe.SizeOf<loop_info64>()} {Unsafe.SizeOf<loop_config>()} 56 {Unsafe.SizeOf<itimerspec>()} 16", printed);
    }

    [Fact]
    public void The_space_for_the_arguments_of_posix_spawn_is_large_enough()
    {
        string[] sizes = Compile("printf(\"%zu %zu\", sizeof(posix_spawn_file_actions_t), sizeof(posix_spawnattr_t));").Split(' ');
        Assert.InRange(int.Parse(sizes[0], CultureInfo.InvariantCulture), 1, PosixSpawn.ActionsSize);
        Assert.InRange(int.Parse(sizes[1], CultureInfo.InvariantCulture), 1, PosixSpawn.AttributesSize);
    }

    private static Dictionary<string, long> PrintFromHeaders(IEnumerable<string> names)
    {
        var body = new System.Text.StringBuilder();
        foreach (string name in names)
        {
            string print = $"printf(\"{name} %lld\\n\", (long long){name});";
            body.AppendLine(EnumPrefixes.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal))
                ? print
                : $"\n#ifdef {name}\n{print}\n#endif");
        }
        return Compile(body.ToString())
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' '))
            .ToDictionary(words => words[0], words => long.Parse(words[1], CultureInfo.InvariantCulture));
    }

    private static string Compile(string body)
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("crashcart-constants-");
        try
        {
            string source = Path.Combine(directory.FullName, "print.c"), program = Path.Combine(directory.FullName, "print");
            File.WriteAllText(source, $"{Headers}\nint main(void)\n{{\n{body}\nreturn 0;\n}}\n");
            Shell.Run("cc", "-o", program, source);
            return Shell.Run(program);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
