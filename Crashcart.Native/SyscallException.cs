using System.ComponentModel;

namespace Crashcart.Native;

/// <summary>A system call failed. Carries the call, its arguments as a person would write them, and errno.</summary>
public sealed class SyscallException(string call, int errno, string arguments = "")
    : IOException($"{call}({arguments}): {Describe(errno)}")
{
    public string Call { get; } = call;

    /// <summary>The error number, see errno(3).</summary>
    public int Errno { get; } = errno;

    public string Arguments { get; } = arguments;

    /// <summary>The text of strerror(3) for <paramref name="errno"/>, without a sentence's end.</summary>
    public static string Describe(int errno) => new Win32Exception(errno).Message;
}
