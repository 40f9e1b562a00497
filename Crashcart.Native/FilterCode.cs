using System.Buffers.Binary;

namespace Crashcart.Native;

/// <summary>Writes a program of classic BPF, for seccomp(2): bpf.c and the kernel's Documentation/userspace-api/seccomp_filter.rst.</summary>
internal sealed class FilterCode
{
    // BPF_JMP with BPF_JEQ, BPF_JGT, BPF_JSET
    public const ushort Equal = 0x15;
    public const ushort Greater = 0x25;
    public const ushort AnyBit = 0x45;

    private const ushort LoadWord = 0x20;
    private const ushort And = 0x54;
    private const ushort Return = 0x06;
    private const uint AllowAction = 0x7fff0000;
    private const uint ErrnoAction = 0x00050000;
    private const int InstructionSize = 8;

    private readonly List<(ushort Code, string? Then, string? Else, uint Operand)> _instructions = [];
    private readonly Dictionary<string, int> _labels = [];

    /// <param name="offset">Of a word in struct seccomp_data.</param>
    public void Load(uint offset) => _instructions.Add((LoadWord, null, null, offset));

    public void Clear(uint bits) => _instructions.Add((And, null, null, ~bits));

    public void JumpIf(ushort comparison, uint operand, string label) => _instructions.Add((comparison, label, null, operand));

    public void JumpUnless(ushort comparison, uint operand, string label) => _instructions.Add((comparison, null, label, operand));

    public void Allow() => _instructions.Add((Return, null, null, AllowAction));

    public void Deny(uint errno) => _instructions.Add((Return, null, null, ErrnoAction | errno));

    /// <summary>Names the instruction that comes next; jumps go forwards only.</summary>
    public void Label(string name) => _labels[name] = _instructions.Count;

    public byte[] ToBytes()
    {
        byte[] bytes = new byte[_instructions.Count * InstructionSize];
        for (int at = 0; at < _instructions.Count; at++)
        {
            (ushort code, string? then, string? otherwise, uint operand) = _instructions[at];
            Span<byte> instruction = bytes.AsSpan(at * InstructionSize, InstructionSize);
            BinaryPrimitives.WriteUInt16LittleEndian(instruction, code);
            instruction[2] = Distance(at, then);
            instruction[3] = Distance(at, otherwise);
            BinaryPrimitives.WriteUInt32LittleEndian(instruction[4..], operand);
        }
        return bytes;
    }

    private byte Distance(int from, string? label) => label is null ? (byte)0 : checked((byte)(_labels[label] - from - 1));
}
