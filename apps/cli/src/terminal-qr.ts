/** A QR code on a terminal. */
import qrcode from 'qrcode-generator';

/** Two modules of the code a character, dark on light, whatever the colours of the terminal. */
export function pictureOf(text: string): string {
  const picture = qrcode(0, 'L');
  picture.addData(text);
  picture.make();
  return picture.createASCII(1, 2);
}
