using System.Diagnostics;

namespace Crashcart.Native.Tests;

/// <summary>For what the kernel does in its own time.</summary>
internal static class Eventually
{
    public static void Holds(Func<bool> condition, string what)
    {
        var limit = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(limit.Elapsed < TimeSpan.FromSeconds(10), $"Not within 10 s: {what}");
            Thread.Yield();
        }
    }
}
