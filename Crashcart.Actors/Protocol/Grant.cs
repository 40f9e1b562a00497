namespace Crashcart.Actors.Protocol;

public sealed partial class Grant
{
    /// <summary>What is granted; null: nothing that this version knows.</summary>
    public IWireMessage? Request => RequestCase switch
    {
        RequestOneofCase.Start => Start,
        RequestOneofCase.Mount => Mount,
        RequestOneofCase.Unmount => Unmount,
        _ => null,
    };

    /// <summary>A grant of that request, to be signed.</summary>
    public static Grant Of(IWireMessage request) => request switch
    {
        StartSession start => new Grant { Start = start },
        MountImage mount => new Grant { Mount = mount },
        UnmountImage unmount => new Grant { Unmount = unmount },
        _ => throw new ArgumentOutOfRangeException(nameof(request)),
    };
}
