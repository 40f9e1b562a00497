/* A GDB script inside a container's program, in the section that GDB looks in. */
__asm__(".pushsection \".debug_gdb_scripts\", \"MS\", %progbits, 1\n"
	".byte 4\n" /* SECTION_SCRIPT_ID_PYTHON_TEXT */
	".ascii \"trap\\n\"\n"
	".ascii \"import gdb\\ngdb.execute('shell /trap/mark debug_gdb_scripts')\\n\"\n"
	".byte 0\n"
	".popsection\n");
