namespace Crashcart.Native.Syscalls;

/// <summary>struct itimerspec of time.h</summary>
internal struct @itimerspec
{
    public long interval_sec;
    public long interval_nsec;
    public long value_sec;
    public long value_nsec;
}
