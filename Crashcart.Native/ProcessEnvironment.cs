using System.Runtime.InteropServices;

namespace Crashcart.Native;

/// <summary>The environment as libraries in C see it, which .NET copies at its start and changes no more.</summary>
public static partial class ProcessEnvironment
{
    /// <summary>Sets a variable for what C code of this process reads later, setenv(3). No other thread may run that reads it at the same time.</summary>
    public static void Set(string name, string value) => _ = setenv(name, value, 1);

    [LibraryImport("libc.so.6", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int setenv(string name, string value, int overwrite);
}
