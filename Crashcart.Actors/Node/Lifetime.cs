namespace Crashcart.Actors.Node;

/// <summary>How long something may go on: work is given the token, and is cancelled when its owner ends the lifetime.</summary>
internal readonly record struct Lifetime(Action End, CancellationToken Token)
{
    // A source without a timer holds nothing that needs disposing.
    public static Lifetime Begin()
    {
        var source = new CancellationTokenSource();
        return new Lifetime(source.Cancel, source.Token);
    }
}
