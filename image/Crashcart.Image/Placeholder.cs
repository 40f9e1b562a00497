namespace Crashcart.Image; internal static class Placeholder;
