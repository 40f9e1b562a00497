using System.Text;

namespace Crashcart.Image.Tests;

public sealed class CopyrightFileTests
{
    private const string Header = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n";

    [Theory]
    [InlineData("GPL-2+", "GPL-2.0-or-later")]
    [InlineData("GPL-3", "GPL-3.0-only")]
    [InlineData("LGPL-2.1+", "LGPL-2.1-or-later")]
    [InlineData("GFDL-1.3", "GFDL-1.3-only")]
    [InlineData("Expat", "MIT")]
    [InlineData("GPL-1+ or Artistic", "GPL-1.0-or-later OR Artistic-1.0-Perl")]
    [InlineData("GPL-2 and Expat", "GPL-2.0-only AND MIT")]
    [InlineData("GPL-2+ with OpenSSL exception", "LicenseRef-GPL-2-or-later-with-OpenSSL-exception")]
    [InlineData("public-domain", "LicenseRef-public-domain")]
    [InlineData("a, b or c", "LicenseRef-a-b-or-c")]
    public void Debians_names_become_those_of_SPDX(string debian, string spdx)
        => Assert.Equal(spdx, Licence($"{Header}Files: *\nCopyright: x\nLicense: {debian}\n some text\n"));

    [Fact]
    public void All_files_licences_count()
        => Assert.Equal(
            "(BSD-3-Clause OR GPL-2.0-or-later) AND MIT",
            Licence($"{Header}Files: *\nLicense: Expat\n\nFiles: a\nLicense: BSD-3-clause or GPL-2+\n\nFiles: b\nLicense: Expat\n\nLicense: ISC\n text\n"));

    [Theory]
    [InlineData("This is free software; see /usr/share/common-licenses/GPL-2.\n")]
    [InlineData("")]
    [InlineData(Header)]
    public void What_is_written_for_people_only_says_nothing(string text) => Assert.Null(Licence(text));

    private static string? Licence(string text) => CopyrightFile.Licence(Encoding.UTF8.GetBytes(text));
}
