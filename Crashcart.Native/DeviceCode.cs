namespace Crashcart.Native;

/// <summary>The instructions of a <see cref="DeviceProgram"/>.</summary>
internal static class DeviceCode
{
    // struct bpf_cgroup_dev_ctx, linux/bpf.h: type (low half) and access (high half), major, minor.
    private const int Block = 1;
    private const int Character = 2;
    private const int Make = 1;
    private const int Read = 2;
    private const int Write = 4;

    // linux/bpf_common.h: a load of 32 bits, operations of 32 bits, a jump, the end.
    private const byte Load = 0x61;
    private const byte AndConstant = 0x54;
    private const byte ShiftRightConstant = 0x74;
    private const byte Copy = 0xbc;
    private const byte Set = 0xb4;
    private const byte JumpUnlessEqual = 0x55;
    private const byte Exit = 0x95;

    private enum Register : byte
    {
        Result,
        Context,
        Type,
        Access,
        Major,
        Minor,
        Ungranted,
    }

    /// <summary>Allows what one of the rules names, and nothing else.</summary>
    public static ulong[] Of(IEnumerable<DeviceRule> rules) =>
    [
        Instruction(Load, Register.Type, Register.Context), Instruction(AndConstant, Register.Type, constant: 0xFFFF),
        Instruction(Load, Register.Access, Register.Context), Instruction(ShiftRightConstant, Register.Access, constant: 16),
        Instruction(Load, Register.Major, Register.Context, offset: 4),
        Instruction(Load, Register.Minor, Register.Context, offset: 8),
        .. rules.SelectMany(Allow),
        Instruction(Set, Register.Result, constant: 0), Instruction(Exit),
    ];

    private static IEnumerable<ulong> Allow(DeviceRule rule)
    {
        int granted = rule.Access.Sum(letter => letter switch { 'm' => Make, 'r' => Read, 'w' => Write, _ => 0 });
        List<(Register Register, int Value)> wanted = [(Register.Ungranted, 0)];
        if (rule.Type != 'a')
            wanted.Add((Register.Type, rule.Type == 'b' ? Block : Character));
        if (rule.Major is { } major)
            wanted.Add((Register.Major, (int)major));
        if (rule.Minor is { } minor)
            wanted.Add((Register.Minor, (int)minor));

        yield return Instruction(Copy, Register.Ungranted, Register.Access);
        yield return Instruction(AndConstant, Register.Ungranted, constant: ~granted);
        for (int i = 0; i < wanted.Count; i++)
        {
            // Over the tests that are left, and over the two instructions that allow.
            short over = (short)(wanted.Count - 1 - i + 2);
            yield return Instruction(JumpUnlessEqual, wanted[i].Register, offset: over, constant: wanted[i].Value);
        }
        yield return Instruction(Set, Register.Result, constant: 1);
        yield return Instruction(Exit);
    }

    /// <summary>struct bpf_insn as one number: code, two registers of four bits, offset, constant.</summary>
    private static ulong Instruction(
        byte code, Register to = Register.Result, Register from = Register.Result, short offset = 0, int constant = 0) =>
        code | ((ulong)to << 8) | ((ulong)from << 12) | ((ulong)(ushort)offset << 16) | ((ulong)(uint)constant << 32);
}
