namespace Crashcart.Native;

/// <summary>What a tool may do by a profile that is none of the built-in ones. Sets are bit masks of capabilities(7).</summary>
/// <param name="Base">restricted, debug or privileged: whose capabilities, devices and security label the tool has.</param>
/// <param name="Capabilities">In place of the base's; null: the base's.</param>
/// <param name="Added">Beside those; a tool that does not run as root keeps them, too.</param>
/// <param name="Dropped">Never given, whoever asks.</param>
/// <param name="FiltersCalls">System calls are a container's.</param>
/// <param name="NoNewPrivileges">As PR_SET_NO_NEW_PRIVS has it; a filter needs it.</param>
public sealed record ToolProfile(string Base, ulong? Capabilities, ulong Added, ulong Dropped, bool FiltersCalls, bool NoNewPrivileges);
