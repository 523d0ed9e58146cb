import os
import subprocess
import sys

from keysplit import find_binary


def main():
    command = [find_binary(), *sys.argv[1:]]
    if os.name != "nt":
        os.execv(command[0], command)
    # exec on Windows starts a second process and ends this one at once, so that the
    # shell would not wait. The program gets ctrl+c itself and says how it ends.
    child = subprocess.Popen(command)
    while True:
        try:
            sys.exit(child.wait())
        except KeyboardInterrupt:
            pass


main()
