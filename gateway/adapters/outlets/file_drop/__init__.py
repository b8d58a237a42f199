"""Partners that exchange files in a folder of theirs over SFTP (文件交换目录)."""
